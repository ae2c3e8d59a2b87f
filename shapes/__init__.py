"""What the gateway refuses by and the training engine works by: one account of it for both, without torch.

`jobs` names the kinds of jobs. `network` is a network written as a list of layers: what fits on what. `requirements` is
what a hyperparameter's value asks of a data set, `division` how that is divided, `matching` what a version does,
`quantiles` what the levels of a forecast's may be, `search` a search space, `tokens` text as numbers, `spreadsheet`
cells that do no harm, `decimals` numbers in few digits. They stand beside the rooms and import none of them.
"""
