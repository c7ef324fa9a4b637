//! CoRIMs of three generations, signed or not: read, shown, admitted, converted, and written again.

use crate::bounds::within;
use crate::{issuer, selected};
use evidence::corim::{Corim, Refusal, Signed};
use verifier::References;
use verifier::reference::Admission;

/// Takes one input.
///
/// # Panics
/// If a promise of the readers is broken, or if what is written is not what is then read.
pub fn run(input: &[u8]) {
    let Some((selector, bytes)) = selected(input) else { return };
    if selector % 2 == 0 {
        signed(bytes)
    } else {
        unsigned(bytes)
    }
    admitted(bytes);
}

fn unsigned(bytes: &[u8]) {
    let parsed = within(bytes, 64, || Corim::parse(bytes).map_err(|why| why.to_string()));
    if let Ok(corim) = parsed {
        again(bytes, &corim);
    }
}

fn signed(bytes: &[u8]) {
    let opened = within(bytes, 64, || {
        let signed = Signed::parse(bytes)?;
        let _ = signed.allegations().to_string();
        signed.authenticate_with(|_, _, _| Ok::<(), Refusal>(()))
    });
    if let Ok((corim, _)) = opened {
        again(bytes, &corim);
    }
}

/// Shows a CoRIM; if it can be written, that is the same CoRIM.
fn again(bytes: &[u8], corim: &Corim) {
    let shown = within(bytes, 256, || corim.to_string());
    assert!(!shown.is_empty());
    let Ok(written) = within(bytes, 64, || corim.encode()) else { return };
    let read = Corim::parse(&written).expect("what is written can be read");
    assert_eq!(read, *corim, "what is written is what was read");
    let mut references = References::new();
    let _ =
        within(bytes, 256, || references.add_corim(corim).and_then(|()| references.to_store(evidence::Hash::Sha256)));
}

fn admitted(bytes: &[u8]) {
    let key = issuer::platform_key();
    for keys in [&[][..], &[key]] {
        let admission = Admission { at: issuer::NOW, keys, lapsed_passes: keys.is_empty() };
        let mut references = References::new();
        let _ = within(bytes, 256, || references.admit(bytes, &admission).map_err(|why| why.to_string()));
    }
}
