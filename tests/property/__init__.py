"""What must hold for every chart: properties over generated patients, through request JSON."""
