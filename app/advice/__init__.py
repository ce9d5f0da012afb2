"""Findings -> advice: roles by profile, contraindications first, drug options ranked, one piece of advice per action."""
