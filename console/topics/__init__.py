"""What can be shown: each topic of `/live`, from what is watched. The answers are those of `console/contract`."""
