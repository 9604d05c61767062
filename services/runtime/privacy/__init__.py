"""Keeping what is personal unreadable: everything of a subject is encrypted under a key of its own.

A subject is a member, or a purchase while its member is unknown. Destroying a subject's key makes what was kept under
it unreadable for ever, while totals and the log stay whole. The keys stand in the service's table `data_key`, wrapped
under a master key from the settings.
"""

from services.runtime.privacy.keys import KEY_BYTES, Cipher, KeysError, MasterKeys, decode_key, new_key
from services.runtime.privacy.vault import Vault, forget

__all__ = ["KEY_BYTES", "Cipher", "KeysError", "MasterKeys", "Vault", "decode_key", "forget", "new_key"]
