"""``byoc access``: what the control plane may do, shown, compared, exported and analysed."""
