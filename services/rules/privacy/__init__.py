"""Keeping what is personal unreadable: identifiers as keyed hashes, everything else under a key per subject.

A subject is a member, or a purchase while its member is unknown. Destroying a subject's key makes what was kept under
it unreadable for ever, while totals and the log stay whole.
"""

from services.rules.privacy.pseudonyms import Pseudonyms, subject_of_hash
from services.runtime.privacy import Cipher, KeysError, MasterKeys, Vault

__all__ = ["Cipher", "KeysError", "MasterKeys", "Pseudonyms", "Vault", "subject_of_hash"]
