"""Search spaces: from what a request says, or the catalogue, to dimensions that every trial can be trained within."""
