"""Certificates: an authority, servers and clients for one plant, made at start into one directory."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

VALID = timedelta(days=365)
SERVER_URI = "urn:lineside:sim"
CLIENT_URI = "urn:lineside:agent"
"""The application URI in the client's certificate; an OPC UA client must call itself the same."""


@dataclass(frozen=True, slots=True)
class Pair:
    """PEM files of a certificate and its private key."""

    certificate: Path
    key: Path


class Certificates:
    """Makes what is asked for at its first use; a remade server certificate has a new key."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._keys: dict[str, tuple[rsa.RSAPrivateKey, x509.Certificate]] = {}

    @property
    def ca(self) -> Path:
        """Return the PEM file of the authority that signs the servers and clients of Modbus over TLS."""
        self._authority()
        return self._directory / "ca.pem"

    def for_tls(self, name: str) -> Pair:
        """Return a pair signed by the authority, good for a server on loopback and for a client."""
        if name not in self._keys:
            self._make(name, f"urn:lineside:{name}", issuer=self._authority())
        return self._pair(name)

    def for_opcua_server(self, name: str) -> Pair:
        """Return a self-signed pair of an OPC UA server, anew at each call."""
        self._make(name, SERVER_URI)
        return self._pair(name)

    def for_opcua_client(self) -> Pair:
        """Return a self-signed pair of an OPC UA client that calls itself CLIENT_URI."""
        if "client" not in self._keys:
            self._make("client", CLIENT_URI)
        return self._pair("client")

    def tls_context(self, name: str, *, verify_clients: bool) -> ssl.SSLContext:
        """Return the server's side of TLS; verify_clients: only clients that the authority signed get in."""
        pair = self.for_tls(name)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair.certificate, pair.key)
        if verify_clients:
            context.load_verify_locations(self.ca)
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def _authority(self) -> tuple[rsa.RSAPrivateKey, x509.Certificate]:
        if "ca" not in self._keys:
            self._make("ca", "urn:lineside:ca", is_authority=True)
        return self._keys["ca"]

    def _pair(self, name: str) -> Pair:
        return Pair(self._directory / f"{name}.pem", self._directory / f"{name}.key.pem")

    def _make(
        self,
        name: str,
        uri: str,
        *,
        issuer: tuple[rsa.RSAPrivateKey, x509.Certificate] | None = None,
        is_authority: bool = False,
    ) -> None:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        signing_key = issuer[0] if issuer else key
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"lineside {name}")])
        builder = _builder(subject, issuer[1].subject if issuer else subject, key, uri, is_authority=is_authority)
        authority_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(signing_key.public_key())
        certificate = builder.add_extension(authority_key, critical=False).sign(signing_key, hashes.SHA256())
        self._keys[name] = key, certificate
        self._write(name, key, certificate)

    def _write(self, name: str, key: rsa.RSAPrivateKey, certificate: x509.Certificate) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        pair = self._pair(name)
        pair.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        pair.key.touch(mode=0o600)
        pair.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: rsa.RSAPrivateKey, uri: str, *, is_authority: bool
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    names = [x509.UniformResourceIdentifier(uri), x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=True,
        data_encipherment=True,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=is_authority,
        encipher_only=False,
        decipher_only=False,
    )
    uses = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + VALID)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(usage, critical=True)
    )
    return builder if is_authority else builder.add_extension(uses, critical=False)
