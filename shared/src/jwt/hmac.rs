//! The cryptography that jsonwebtoken is given: HMAC with SHA-2 (RFC 7518, section 3.2) and
//! nothing else, so that no code for keys that this service never has is in its functions.

use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey,
    crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils},
    errors::{ErrorKind, Result},
    signature::{Error, Signer, Verifier},
};
use sha2::{Sha256, Sha384, Sha512};
use subtle::ConstantTimeEq;

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key: &EncodingKey| {
        Ok(Box::new(Keyed::new(*algorithm, key.as_bytes())?))
    },
    verifier_factory: |algorithm, key: &DecodingKey| {
        Ok(Box::new(Keyed::new(*algorithm, key.try_get_as_bytes()?)?))
    },
    key_utils: KeyUtils::new_unimplemented(),
};

/// Makes this the process's provider, unless it has one already.
pub(super) fn install() {
    let _ = PROVIDER.install_default();
}

/// An algorithm with its key.
enum Keyed {
    Hs256(Hmac<Sha256>),
    Hs384(Hmac<Sha384>),
    Hs512(Hmac<Sha512>),
}

impl Keyed {
    fn new(algorithm: Algorithm, key: &[u8]) -> Result<Self> {
        let keyed = match algorithm {
            Algorithm::HS256 => Hmac::new_from_slice(key).map(Self::Hs256),
            Algorithm::HS384 => Hmac::new_from_slice(key).map(Self::Hs384),
            Algorithm::HS512 => Hmac::new_from_slice(key).map(Self::Hs512),
            _ => return Err(ErrorKind::InvalidAlgorithm.into()),
        };
        keyed.map_err(|_| ErrorKind::InvalidKeyFormat.into())
    }

    fn tag(&self, message: &[u8]) -> Vec<u8> {
        fn finish<M: Mac + Clone>(mac: &M, message: &[u8]) -> Vec<u8> {
            mac.clone()
                .chain_update(message)
                .finalize()
                .into_bytes()
                .to_vec()
        }
        match self {
            Self::Hs256(mac) => finish(mac, message),
            Self::Hs384(mac) => finish(mac, message),
            Self::Hs512(mac) => finish(mac, message),
        }
    }
}

impl Signer<Vec<u8>> for Keyed {
    fn try_sign(&self, message: &[u8]) -> std::result::Result<Vec<u8>, Error> {
        Ok(self.tag(message))
    }
}

impl Verifier<Vec<u8>> for Keyed {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> std::result::Result<(), Error> {
        let same = self.tag(message).ct_eq(signature);
        if bool::from(same) {
            Ok(())
        } else {
            Err(Error::new())
        }
    }
}

impl JwtSigner for Keyed {
    fn algorithm(&self) -> Algorithm {
        self.name()
    }
}

impl JwtVerifier for Keyed {
    fn algorithm(&self) -> Algorithm {
        self.name()
    }
}

impl Keyed {
    fn name(&self) -> Algorithm {
        match self {
            Self::Hs256(_) => Algorithm::HS256,
            Self::Hs384(_) => Algorithm::HS384,
            Self::Hs512(_) => Algorithm::HS512,
        }
    }
}
