"""TLS as sslyze sees it, held against Mozilla's “intermediate” configuration and known attacks."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dast.program import run
from dast.results import Found, Scan, ScanFailed

_OLD = {
    "ssl_2_0_cipher_suites": "ssl-2.0-accepted",
    "ssl_3_0_cipher_suites": "ssl-3.0-accepted",
    "tls_1_0_cipher_suites": "tls-1.0-accepted",
    "tls_1_1_cipher_suites": "tls-1.1-accepted",
}
# command → field of its result → what is bad
_ATTACKS: dict[str, tuple[str, Any, str]] = {
    "heartbleed": ("is_vulnerable_to_heartbleed", True, "heartbleed"),
    "openssl_ccs_injection": ("is_vulnerable_to_ccs_injection", True, "ccs-injection"),
    "tls_compression": ("supports_compression", True, "tls-compression"),
    "tls_1_3_early_data": ("supports_early_data", True, "tls-early-data"),
    "session_renegotiation": ("is_vulnerable_to_client_renegotiation_dos", True, "renegotiation-by-clients"),
}
_WEAK_CIPHERS = ("NULL", "anon", "EXPORT", "RC4", "DES", "MD5", "CBC", "_RSA_WITH_")
_FORWARD_SECRET = ("_ECDHE_", "_DHE_")


def scan(url: str, *, tools: Path, scratch: Path, authority: Path | None, seconds: float = 60) -> Scan:
    """Return what sslyze finds on the port of an address.

    Args:
        url: whose host and port.
        tools: folder of the programs.
        scratch: where the report may lie.
        authority: PEM file of the authority that signed the certificate; None where it must be a public one.
        seconds: the most it may take.

    Raises:
        ScanFailed: sslyze made no complete report.
    """
    report = scratch / f"sslyze-{urlsplit(url).port}.json"
    commands = ["--certinfo", "--sslv2", "--sslv3", "--tlsv1", "--tlsv1_1", "--tlsv1_2", "--tlsv1_3", "--robot"]
    commands += ["--heartbleed", "--openssl_ccs", "--compression", "--reneg", "--early_data", "--elliptic_curves"]
    if authority is not None:
        commands += ["--certinfo_ca_file", str(authority)]
    took, _ = run(
        [str(tools / "sslyze"), "--quiet", "--mozilla_config=disable", "--json_out", str(report), *commands,
         urlsplit(url).netloc],
        seconds=seconds, scratch=scratch,
    )  # fmt: skip
    return read(report, seconds=took)


def read(report: Path, *, seconds: float = 0.0) -> Scan:
    """Return what a report of sslyze says.

    Raises:
        ScanFailed: the report is missing, or one of its parts did not run to its end.
    """
    try:
        said = json.loads(report.read_text(encoding="utf-8"))
        server = said["server_scan_results"][0]
        results: dict[str, Any] = server["scan_result"] or {}
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise ScanFailed(f"sslyze left no report: {type(error).__name__}.") from error
    undone = [name for name in (*_OLD, *_ATTACKS, "certificate_info", "tls_1_2_cipher_suites", "tls_1_3_cipher_suites",
                                "robot", "elliptic_curves")
              if results.get(name, {}).get("status") != "COMPLETED"]  # fmt: skip
    if undone:
        raise ScanFailed(f"sslyze did not end {', '.join(undone)}.")
    results = {name: one["result"] for name, one in results.items() if one["status"] == "COMPLETED"}
    found = [*_versions(results), *_attacks(results), *_ciphers(results), *_curves(results), *_certificate(results)]
    return Scan("sslyze", said["sslyze_version"], found, frozenset({"/"}), seconds=seconds)


def _versions(results: dict[str, Any]) -> list[Found]:
    return [
        Found(rule, "/", f"The server speaks {rule.partition('-accepted')[0].upper()}.", "error", cwe=326)
        for name, rule in _OLD.items()
        if results[name]["is_tls_version_supported"]
    ]


def _attacks(results: dict[str, Any]) -> list[Found]:
    found = [
        Found(rule, "/", f"The server is open to {rule.replace('-', ' ')}.", "error", cwe=327)
        for name, (field, bad, rule) in _ATTACKS.items()
        if results[name][field] is bad
    ]
    if not results["session_renegotiation"]["supports_secure_renegotiation"]:
        found.append(Found("insecure-renegotiation", "/", "Renegotiation is not secured (RFC 5746).", "error", cwe=310))
    if results["robot"]["robot_result"].startswith("VULNERABLE"):
        found.append(Found("robot", "/", "The server is open to the ROBOT attack.", "error", cwe=203))
    return found


def _ciphers(results: dict[str, Any]) -> list[Found]:
    """Return suites without forward secrecy or authenticated encryption (Mozilla, “intermediate”)."""
    names = {one["cipher_suite"]["name"] for one in results["tls_1_2_cipher_suites"]["accepted_cipher_suites"]}
    weak = sorted(
        name
        for name in names
        if any(bad in name for bad in _WEAK_CIPHERS) and not _is_modern(name)
    )  # fmt: skip
    return [Found("weak-cipher", "/", f"The server accepts {name}.", "error", name, cwe=327) for name in weak]


def _is_modern(name: str) -> bool:
    """Say whether a suite gives forward secrecy and authenticated encryption: ``TLS_ECDHE_RSA_WITH_AES_128_GCM_…``."""
    return any(kind in name for kind in _FORWARD_SECRET) and ("_GCM_" in name or "_POLY1305_" in name)


_CURVES = {"X25519", "X25519MLKEM768", "secp256r1", "prime256v1", "secp384r1"}


def _curves(results: dict[str, Any]) -> list[Found]:
    more = sorted({one["name"] for one in results["elliptic_curves"]["supported_curves"] or []} - _CURVES)
    words = f"The server offers curves that Mozilla's list does not name: {', '.join(more)}."
    return [Found("tls-curves", "/", words, "note", ", ".join(more))] if more else []


def _certificate(results: dict[str, Any]) -> list[Found]:
    found = []
    for deployment in results["certificate_info"]["certificate_deployments"]:
        leaf = deployment["received_certificate_chain"][0]
        key = leaf["public_key"]
        if key["algorithm"].endswith("RSAPublicKey") and key["key_size"] < 2048:  # noqa: PLR2004 - NIST SP 800-131A
            found.append(Found("weak-key", "/", f"The key has {key['key_size']} bits.", "error", cwe=326))
        trusted = [one for one in deployment["path_validation_results"] if one["was_validation_successful"]]
        if not trusted:
            why = deployment["path_validation_results"][-1]["validation_error"] or "no authority vouches for it"
            found.append(
                Found("certificate-not-trusted", "/", f"The certificate does not hold: {why}.", "error", cwe=295)
            )
    return found
