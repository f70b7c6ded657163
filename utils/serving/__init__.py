"""A service that writes: ``python -m utils.serving`` answers requests for text, character by character.

``service`` answers over HTTP what ``asked`` has understood, ``worker`` writes in a thread of its own, ``conversations``
keeps what is to be continued, ``filtering`` holds back what may not be said, ``metrics`` counts. ``load`` starts a
service and asks it for a lot at once.
"""

from pathlib import Path

MODEL = Path(__file__).parent / "king_james.npz"  # written by ``make text-page``
