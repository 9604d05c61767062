"""The keys of the books' proof, as the settings name them."""

from services.ledger.proof.signatures import Checker, KeyFileError, Signer, checker_of, signer_of
from services.ledger.settings import LedgerSettings


def checker_from(settings: LedgerSettings) -> Checker:
    """What statements are checked with. Raises `KeyFileError`, `OSError`."""
    if settings.ledger_proof_public_key_file is None:
        raise KeyFileError("set BONUS_LEDGER_PROOF_PUBLIC_KEY_FILE to the public key that statements are checked with")
    return checker_of(settings.ledger_proof_public_key_file)


def signer_from(settings: LedgerSettings) -> Signer:
    """What signs statements. Raises `KeyFileError`, `OSError`."""
    if settings.ledger_proof_private_key_file is None:
        raise KeyFileError("set BONUS_LEDGER_PROOF_PRIVATE_KEY_FILE to the private key that signs")
    return signer_of(settings.ledger_proof_private_key_file)
