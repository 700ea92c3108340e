//! The cryptography that jsonwebtoken is given: HMAC with SHA-2 (RFC 7518, section 3.2), and by ring,
//! which TLS has in a function anyway, RS256, ES256 (sections 3.3 and 3.4) and Ed25519 (RFC 8037).

use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey,
    crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils},
    errors::{ErrorKind, Result},
    signature::{Error, Signer, Verifier},
};
use ring::{
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_FIXED, ED25519, EcdsaKeyPair, Ed25519KeyPair, RSA_PKCS1_2048_8192_SHA256,
        RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey, VerificationAlgorithm,
    },
};
use sha2::{Sha256, Sha384, Sha512};
use subtle::ConstantTimeEq;

use crate::settings::{ed25519, p256, rsa};

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key: &EncodingKey| {
        Ok(Box::new(Signs::new(*algorithm, key.as_bytes())?))
    },
    verifier_factory: |algorithm, key: &DecodingKey| {
        Ok(Box::new(Verifies::new(
            *algorithm,
            key.try_get_as_bytes()?,
        )?))
    },
    key_utils: KeyUtils::new_unimplemented(),
};

/// Makes this the process's provider, unless it has one already.
pub(super) fn install() {
    let _ = PROVIDER.install_default();
}

/// An algorithm of HMAC with its key.
pub(super) enum Keyed {
    Hs256(Hmac<Sha256>),
    Hs384(Hmac<Sha384>),
    Hs512(Hmac<Sha512>),
}

/// An algorithm with what it signs by.
enum Signs {
    Hmac(Keyed),
    Rsa(Box<RsaKeyPair>),
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

/// An algorithm with what it verifies by.
pub(super) enum Verifies {
    Hmac(Box<Keyed>),
    Public(Algorithm, UnparsedPublicKey<Vec<u8>>),
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

    fn name(&self) -> Algorithm {
        match self {
            Self::Hs256(_) => Algorithm::HS256,
            Self::Hs384(_) => Algorithm::HS384,
            Self::Hs512(_) => Algorithm::HS512,
        }
    }
}

impl Signs {
    fn new(algorithm: Algorithm, key: &[u8]) -> Result<Self> {
        let signs = match algorithm {
            Algorithm::RS256 => rsa(key).map(|pair| Self::Rsa(Box::new(pair))),
            Algorithm::ES256 => p256(key).map(Self::P256),
            Algorithm::EdDSA => ed25519(key).map(Self::Ed25519),
            _ => return Keyed::new(algorithm, key).map(Self::Hmac),
        };
        signs.ok_or_else(|| ErrorKind::InvalidKeyFormat.into())
    }
}

impl Verifies {
    pub(super) fn new(algorithm: Algorithm, key: &[u8]) -> Result<Self> {
        let by: &'static dyn VerificationAlgorithm = match algorithm {
            Algorithm::RS256 => &RSA_PKCS1_2048_8192_SHA256,
            Algorithm::ES256 => &ECDSA_P256_SHA256_FIXED,
            Algorithm::EdDSA => &ED25519,
            _ => return Keyed::new(algorithm, key).map(|keyed| Self::Hmac(Box::new(keyed))),
        };
        let key = UnparsedPublicKey::new(by, key.to_vec());
        Ok(Self::Public(algorithm, key))
    }
}

impl Signer<Vec<u8>> for Signs {
    fn try_sign(&self, message: &[u8]) -> std::result::Result<Vec<u8>, Error> {
        let random = SystemRandom::new();
        match self {
            Self::Hmac(keyed) => Ok(keyed.tag(message)),
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                let signed = pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature);
                signed.map(|()| signature).map_err(|_| Error::new())
            }
            Self::P256(pair) => {
                let signature = pair.sign(&random, message).map_err(|_| Error::new())?;
                Ok(signature.as_ref().to_vec())
            }
            Self::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
        }
    }
}

impl Verifier<Vec<u8>> for Verifies {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> std::result::Result<(), Error> {
        let is_good = match self {
            Self::Hmac(keyed) => bool::from(keyed.tag(message).ct_eq(signature)),
            Self::Public(_, key) => key.verify(message, signature).is_ok(),
        };
        if is_good { Ok(()) } else { Err(Error::new()) }
    }
}

impl JwtSigner for Signs {
    fn algorithm(&self) -> Algorithm {
        match self {
            Self::Hmac(keyed) => keyed.name(),
            Self::Rsa(_) => Algorithm::RS256,
            Self::P256(_) => Algorithm::ES256,
            Self::Ed25519(_) => Algorithm::EdDSA,
        }
    }
}

impl JwtVerifier for Verifies {
    fn algorithm(&self) -> Algorithm {
        match self {
            Self::Hmac(keyed) => keyed.name(),
            Self::Public(algorithm, _) => *algorithm,
        }
    }
}
