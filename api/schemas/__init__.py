"""What the gateway answers, one file a resource."""
