//! The certificates of a machine's endorsements (RFC 5280): root, sub CA, and the CPAK with whose key it is.

use std::str::FromStr;
use std::time::Duration;

use abi::endorsement::{CCA_IDENTITY_OID, cca_identity};
use p384::ecdsa::{DerSignature, SigningKey, VerifyingKey};
use x509_cert::Certificate;
use x509_cert::builder::profile::BuilderProfile;
use x509_cert::builder::{Builder, CertificateBuilder, Result};
use x509_cert::certificate::TbsCertificate;
use x509_cert::der::EncodePem;
use x509_cert::der::asn1::{ObjectIdentifier, OctetString};
use x509_cert::der::pem::LineEnding;
use x509_cert::ext::pkix::{AuthorityKeyIdentifier, BasicConstraints, KeyUsage, KeyUsages, SubjectKeyIdentifier};
use x509_cert::ext::{Extension, Extensions, ToExtension};
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::{SubjectPublicKeyInfo, SubjectPublicKeyInfoRef};
use x509_cert::time::Validity;

const YEAR: u64 = 365 * 24 * 3600;
const CCA_IDENTITY: ObjectIdentifier = ObjectIdentifier::new_unwrap(CCA_IDENTITY_OID);

/// What a certificate is for.
#[derive(Clone, Copy)]
pub enum Role {
    /// The root, which certifies one level of authorities.
    Root,
    /// The authority under it, which certifies platforms.
    Sub,
    /// A platform's attestation key.
    Cpak {
        /// Whose design.
        implementation: [u8; 32],
        /// Which machine.
        instance: [u8; 33],
    },
}

impl Role {
    const fn years(self) -> u64 {
        match self {
            Self::Root => 20,
            Self::Sub => 10,
            Self::Cpak { .. } => 5,
        }
    }

    /// How many authorities may stand below, if it is one.
    const fn path_length(self) -> Option<u8> {
        match self {
            Self::Root => Some(1),
            Self::Sub => Some(0),
            Self::Cpak { .. } => None,
        }
    }

    fn subject(self) -> Result<Name> {
        let name = match self {
            Self::Root => "CN=Root of emulated platforms,O=Allod",
            Self::Sub => "CN=Maker of emulated platforms,O=Allod",
            Self::Cpak { .. } => "CN=CCA platform attestation key,O=Allod",
        };
        Ok(Name::from_str(name)?)
    }

    fn issuer(self) -> Result<Name> {
        match self {
            Self::Root | Self::Sub => Self::Root.subject(),
            Self::Cpak { .. } => Self::Sub.subject(),
        }
    }
}

/// Issues the certificate of `key` in its role, valid from now, signed by `issuer`; PEM.
pub fn issue(role: Role, key: &VerifyingKey, issuer: &SigningKey, serial: &[u8; 16]) -> Result<String> {
    let profile = Profile { role, subject: role.subject()?, issuer: role.issuer()? };
    let validity = Validity::from_now(Duration::from_secs(role.years() * YEAR))?;
    let serial = SerialNumber::new(serial)?;
    let builder = CertificateBuilder::new(profile, serial, validity, SubjectPublicKeyInfo::from_key(key)?)?;
    let certificate: Certificate = builder.build::<_, DerSignature>(issuer)?;
    Ok(certificate.to_pem(LineEnding::LF)?)
}

struct Profile {
    role: Role,
    subject: Name,
    issuer: Name,
}

impl BuilderProfile for Profile {
    fn get_issuer(&self, _: &Name) -> Name {
        self.issuer.clone()
    }

    fn get_subject(&self) -> Name {
        self.subject.clone()
    }

    fn build_extensions(
        &self,
        own: SubjectPublicKeyInfoRef<'_>,
        issuer: SubjectPublicKeyInfoRef<'_>,
        tbs: &TbsCertificate,
    ) -> Result<Vec<Extension>> {
        let authority = self.role.path_length();
        let usage = if authority.is_some() {
            KeyUsages::KeyCertSign | KeyUsages::CRLSign
        } else {
            KeyUsages::DigitalSignature.into()
        };
        let mut all = Extensions::new();
        let constraints = BasicConstraints { ca: authority.is_some(), path_len_constraint: authority };
        all.push(constraints.to_extension(tbs.subject(), &all)?);
        all.push(KeyUsage(usage).to_extension(tbs.subject(), &all)?);
        all.push(SubjectKeyIdentifier::try_from(own)?.to_extension(tbs.subject(), &all)?);
        all.push(AuthorityKeyIdentifier::try_from(issuer)?.to_extension(tbs.subject(), &all)?);
        if let Role::Cpak { implementation, instance } = &self.role {
            let value = OctetString::new(cca_identity(implementation, instance))?;
            all.push(Extension { extn_id: CCA_IDENTITY, critical: false, extn_value: value });
        }
        Ok(all)
    }
}
