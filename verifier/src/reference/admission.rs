//! Whose CoRIMs are believed, and until when.

use super::{References, Unusable};
use crate::key::Key;
use evidence::corim::{Corim, Signed, Validity, is_corim, is_signed};

/// By what a CoRIM is judged before anything in it is believed.
#[derive(Clone, Copy, Debug)]
pub struct Admission<'a> {
    /// Keys of signers. If there are any, every CoRIM has to be signed by one of them.
    pub keys: &'a [Key],
    /// The time, in seconds since 1970.
    pub at: u64,
    /// Whether a CoRIM passes whose validity has not begun or has ended.
    pub lapsed_passes: bool,
}

impl Admission<'_> {
    fn valid(&self, validity: Option<Validity>) -> Result<(), Unusable> {
        match validity {
            Some(validity) if !self.lapsed_passes => validity.judge(self.at).map_err(Unusable::Lapsed),
            _ => Ok(()),
        }
    }
}

/// Reads a CoRIM, signed or not, once its signature and validity have been judged.
///
/// # Errors
/// [`Unusable`].
pub fn open(file: &[u8], admission: &Admission<'_>) -> Result<Corim, Unusable> {
    let corim = if is_signed(file) {
        if admission.keys.is_empty() {
            return Err(Unusable::NoKey);
        }
        let (corim, signer) = Signed::parse(file)?.authenticate_with(|named, message, signature| {
            let holds = |key: &Key| key.verify(named, message, signature).is_ok();
            if admission.keys.iter().any(holds) { Ok(()) } else { Err(Unusable::Signature) }
        })?;
        admission.valid(signer.validity)?;
        corim
    } else if admission.keys.is_empty() {
        Corim::parse(file)?
    } else {
        return Err(Unusable::Unsigned);
    };
    admission.valid(corim.validity)?;
    Ok(corim)
}

impl References {
    /// As [`References::add`], and CoRIMs too: every platform and Realm in one is one more alternative.
    ///
    /// # Errors
    /// [`Unusable`].
    pub fn admit(&mut self, file: &[u8], admission: &Admission<'_>) -> Result<(), Unusable> {
        if file.len() <= super::MAX_FILE && is_corim(file) {
            return self.add_corim(&open(file, admission)?);
        }
        self.add(file)
    }
}
