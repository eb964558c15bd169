"""The paths of the sandbox: upstream's under /v1, its own under /sandbox."""
