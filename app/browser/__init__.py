"""The guideline browser: what the service knows, as pages for people.

Each statement stands with the quoted words of its source, what the service makes of it, its criteria, and the clinical
cases that test it. The pages hold no patient data, and nothing here is used to answer a call.
"""

from app.browser.pages import GuidelinePages

__all__ = ["GuidelinePages"]
