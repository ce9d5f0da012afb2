"""Findings -> advice: roles by profile, contraindications first, options ranked, one piece of advice per action."""
