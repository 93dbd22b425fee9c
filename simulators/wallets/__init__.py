"""The wallets that can be held before the camera, one TOML file each."""
