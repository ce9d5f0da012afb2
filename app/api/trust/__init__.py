"""Who may call the service: CDS Hooks 2.0.1, "Trusting CDS Clients"."""
