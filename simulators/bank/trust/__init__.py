"""Keys, certificates, signatures and seals: who is who, and who may read what."""
