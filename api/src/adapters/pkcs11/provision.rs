//! Makes tokens and keys: for the demo, for tests, and for the canary key that health checks need.

use std::path::PathBuf;

use cryptoki::context::Pkcs11;
use cryptoki::mechanism::Mechanism;
use cryptoki::object::Attribute;
use cryptoki::session::{Session, UserType};
use cryptoki::types::AuthPin;
use der::Encode;

use super::return_code::{Problem, classify};
use super::{Settings, failure, module, public_key};
use crate::failure::Failure;
use crate::ports::{KeyAlgorithm, KeyReference};
use crate::random;
use crate::secret::Secret;

pub(crate) use super::public_key::TokenPublicKey;

/// Which token, and its PIN.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) module: PathBuf,
    pub(crate) label: String,
    /// Empty when the label is enough.
    pub(crate) serial: String,
    pub(crate) pin: Secret,
}

impl Place {
    /// The token that the agents use.
    pub(crate) fn of(settings: &Settings) -> Self {
        let Settings { agent, pin, .. } = settings;
        Self {
            module: agent.module.clone(),
            label: agent.label.clone(),
            serial: agent.serial.clone(),
            pin: pin.clone(),
        }
    }
}

/// A read-write login to one token. Open it where no other code of this process uses the module.
#[derive(Debug)]
pub(crate) struct Provisioner {
    session: Option<Session>,
    library: Pkcs11,
}

/// A key that was just generated.
#[derive(Debug, Clone)]
pub(crate) struct GeneratedKey {
    pub(crate) reference: KeyReference,
    pub(crate) public_key: TokenPublicKey,
}

impl Provisioner {
    /// Initialises a free slot as a new token.
    pub(crate) fn create_token(place: &Place, security_officer_pin: &Secret) -> Result<(), Failure> {
        let library = module::load(&place.module)?;
        let so_pin = AuthPin::from(security_officer_pin.expose().to_owned());
        let pin = AuthPin::from(place.pin.expose().to_owned());
        let create = || {
            module::initialize(&library)?;
            let mut slots = library.get_all_slots()?.into_iter();
            let slot = slots
                .find(|slot| library.get_token_info(*slot).is_ok_and(|info| !info.token_initialized()))
                .ok_or(cryptoki::error::Error::InvalidValue)?;
            library.init_token(slot, &so_pin, &place.label)?;
            let session = library.open_rw_session(slot)?;
            session.login(UserType::So, Some(&so_pin))?;
            session.init_pin(&pin)?;
            session.close()
        };
        let result = create().map_err(|error| failure(&classify(error).into_port_error()));
        let _ = library.finalize();
        result
    }

    /// Logs in to a token for writing.
    pub(crate) fn open(place: &Place) -> Result<Self, Failure> {
        let library = module::load(&place.module)?;
        let open = || {
            module::initialize(&library).map_err(classify)?;
            let slot = module::find_slot(&library, &place.label, &place.serial)?;
            let session = library.open_rw_session(slot).map_err(classify)?;
            let pin = AuthPin::from(place.pin.expose().to_owned());
            session.login(UserType::User, Some(&pin)).map_err(classify)?;
            Ok(session)
        };
        let session = open().map_err(|problem: Problem| failure(&problem.into_port_error()))?;
        Ok(Self { session: Some(session), library })
    }

    /// Generates a key pair that can sign and can never leave the token: RSA-2048 or P-256.
    pub(crate) fn generate(&self, algorithm: KeyAlgorithm, label: &str) -> Result<GeneratedKey, Failure> {
        let session = self.session.as_ref().expect("the session is there until the drop");
        let id = random::bytes::<20>().to_vec();
        let common = [Attribute::Token(true), Attribute::Id(id.clone()), Attribute::Label(label.into())];
        let mut public = vec![Attribute::Private(false), Attribute::Verify(true)];
        let mechanism = match algorithm {
            KeyAlgorithm::Rsa => {
                public
                    .extend([Attribute::ModulusBits(2048.into()), Attribute::PublicExponent(vec![1, 0, 1])]);
                Mechanism::RsaPkcsKeyPairGen
            }
            KeyAlgorithm::Ec => {
                let curve = const_oid::db::rfc5912::SECP_256_R_1.to_der().expect("an OID can be encoded");
                public.push(Attribute::EcParams(curve));
                Mechanism::EccKeyPairGen
            }
        };
        let private = [
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Sign(true),
            Attribute::Decrypt(false),
            Attribute::Unwrap(false),
            Attribute::SignRecover(false),
            Attribute::Derive(false),
            Attribute::Modifiable(false),
        ];
        let generated = session.generate_key_pair(
            &mechanism,
            &[common.as_slice(), &public].concat(),
            &[common.as_slice(), &private].concat(),
        );
        let public_key = generated
            .map_err(classify)
            .and_then(|(public, _)| public_key::read(session, public))
            .map_err(|problem| failure(&problem.into_port_error()))?;
        Ok(GeneratedKey { reference: KeyReference { id, algorithm }, public_key })
    }
}

impl Drop for Provisioner {
    fn drop(&mut self) {
        drop(self.session.take());
        let _ = self.library.clone().finalize();
    }
}
