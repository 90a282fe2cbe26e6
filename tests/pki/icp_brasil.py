"""Certomancer plugin: the shape of ICP-Brasil holder certificates (DOC-ICP-04 §7.1.2).

Certomancer's own `general-names` cannot express otherName. This plugin is deliberately not derived from the
project's Rust code: it exists to disagree with it.
"""

from asn1crypto import core, x509
from certomancer.registry.issued.general import ExtensionSpec
from certomancer.registry.plugin_api import (
    CertProfilePlugin,
    cert_profile_plugin_registry,
)

OTHER_NAMES = "2.16.76.1.3."
POLICIES = "2.16.76.1.2."
ENCODINGS = {"octet": core.OctetString, "printable": core.PrintableString}


@cert_profile_plugin_registry.register
class IcpBrasilHolder(CertProfilePlugin):
    """Extensions of a holder.

    Parameters: `policy` (arcs below 2.16.76.1.2), `names` (last arc of the otherName to its text), `encoding`
    (`printable`, the old generation, or `octet`, the new one), `email`, `usage`.
    """

    profile_label = "icp-brasil-holder"

    def extensions_for_self(self, arch, profile_params, spec):
        params = dict(profile_params)
        encode = ENCODINGS[params.pop("encoding")]
        policy = params.pop("policy")
        names = [other_name(arc, encode, text) for arc, text in params.pop("names").items()]
        email = params.pop("email", None)
        if email:
            # Between the otherNames, where real certificates put it.
            names.insert(1, x509.GeneralName("rfc822_name", email))
        usage = params.pop("usage", ["digital_signature", "non_repudiation", "key_encipherment"])
        if params:
            raise ValueError(f"unknown parameters of icp-brasil-holder: {sorted(params)}")
        return [
            ExtensionSpec(id="key_usage", critical=True, value=x509.KeyUsage(set(usage))),
            ExtensionSpec(id="extended_key_usage", critical=False, value=["client_auth", "email_protection"]),
            ExtensionSpec(id="certificate_policies", critical=False, value=[policy_information(policy)]),
            ExtensionSpec(id="subject_alt_name", critical=False, value=x509.GeneralNames(names)),
        ]


def other_name(arc, encode, text):
    """One otherName. The inner value is explicitly tagged; without `explicit` asn1crypto leaves the tag out."""
    octets = text.encode("latin1") if encode is core.OctetString else text
    value = x509.AnotherName({"type_id": OTHER_NAMES + str(arc), "value": encode(octets, explicit=0)})
    return x509.GeneralName("other_name", value)


def policy_information(arcs):
    """Policy with the address of its practice statement, as the norm requires."""
    return {
        "policy_identifier": POLICIES + arcs,
        "policy_qualifiers": [
            {"policy_qualifier_id": "certification_practice_statement", "qualifier": "http://localhost/dpc-teste.pdf"}
        ],
    }
