extern crate std;

use super::{Attest, BadKey};
use crate::call::Buffer;
use crate::fake::{Fake, attest};
use abi::el3::{SignRequest, SignResponse, Status};
use abi::map;
use p384::ecdsa::signature::hazmat::PrehashVerifier;
use p384::ecdsa::{Signature, VerifyingKey};
use std::vec::Vec;
use zerocopy::{FromBytes, IntoBytes};

const PAGE: Buffer = Buffer { pa: map::RMM_SHARED, size: 4096 };

fn part(size: u64) -> Buffer {
    Buffer { pa: map::RMM_SHARED, size }
}

fn request(ticket: u64, hash: [u8; 48]) -> SignRequest {
    SignRequest { sig_alg: 0, padding0: 0, rec_granule: 0x5000_0000, ticket, hash_alg: 1, hash, padding1: [0; 4] }
}

fn push(attest: &Attest<'_>, hw: &Fake, request: &SignRequest) -> Result<u64, Status> {
    hw.shared.borrow_mut()[..request.as_bytes().len()].copy_from_slice(request.as_bytes());
    attest.token_sign(hw, 1, PAGE, 0)
}

fn pull(attest: &Attest<'_>, hw: &Fake) -> Result<SignResponse, Status> {
    attest.token_sign(hw, 2, PAGE, 0)?;
    Ok(SignResponse::read_from_prefix(&hw.shared.borrow()).unwrap().0)
}

#[test]
fn token_comes_in_hunks_until_nothing_is_left() {
    let (hw, attest) = (Fake::new(), attest());
    let mut token = Vec::new();
    let mut challenge = 32;
    loop {
        let [length, left] = attest.plat_token(&hw, part(40), challenge).unwrap();
        token.extend_from_slice(&hw.shared.borrow()[..length as usize]);
        challenge = 0;
        if left == 0 {
            break;
        }
    }
    assert_eq!(token, (0..100).collect::<Vec<u8>>());
    assert_eq!(attest.plat_token(&hw, part(40), 0), Err(Status::Invalid), "there is nothing to go on with");
    assert_eq!(attest.plat_token(&hw, part(4096), 64), Ok([100, 0]), "and a new transfer begins");
}

#[test]
fn buffers_outside_the_shared_page_are_refused() {
    let (hw, attest) = (Fake::new(), attest());
    for (pa, size) in [
        (map::RMM_SHARED - 1, 4096),
        (map::RMM_SHARED, 4097),
        (map::RMM_SHARED + 4000, 97),
        (map::RMM_SHARED + 0x1000, 1),
        (map::SECURE_RAM, 4096),
        (map::RMM_SHARED, u64::MAX),
        (u64::MAX, u64::MAX),
    ] {
        let buffer = Buffer { pa, size };
        assert_eq!(attest.plat_token(&hw, buffer, 32), Err(Status::Invalid), "{pa:#x} {size:#x}");
        for operation in 1..=3 {
            assert_eq!(attest.token_sign(&hw, operation, buffer, 0), Err(Status::Invalid), "{pa:#x} {size:#x}");
        }
    }
    assert_eq!(attest.plat_token(&hw, part(0), 32), Err(Status::Invalid));
    assert_eq!(attest.plat_token(&hw, PAGE, 33), Err(Status::Invalid));
}

#[test]
fn signatures_verify_under_the_public_key_and_carry_the_requests_names() {
    let (hw, attest) = (Fake::new(), attest());
    assert_eq!(attest.token_sign(&hw, 3, PAGE, 0), Ok(97));
    let key = VerifyingKey::from_sec1_bytes(&hw.shared.borrow()[..97]).unwrap();
    assert_eq!(push(&attest, &hw, &request(7, [0xab; 48])), Ok(0));
    assert!(hw.was_constant_time.get() && !hw.constant_time.get());
    let response = pull(&attest, &hw).unwrap();
    assert_eq!((response.rec_granule, response.ticket, response.sig_len), (0x5000_0000, 7, 96));
    let signature = Signature::from_slice(&response.sig).unwrap();
    key.verify_prehash(&[0xab; 48], &signature).unwrap();
    assert!(key.verify_prehash(&[0xac; 48], &signature).is_err());
}

#[test]
fn queue_answers_each_request_once_and_says_again_when_full_or_empty() {
    let (hw, attest) = (Fake::new(), attest());
    assert_eq!(pull(&attest, &hw).err(), Some(Status::Again));
    for ticket in 0..4 {
        assert_eq!(push(&attest, &hw, &request(ticket, [1; 48])), Ok(0));
    }
    assert_eq!(push(&attest, &hw, &request(4, [1; 48])), Err(Status::Again));
    let mut tickets: Vec<u64> = (0..4).map(|_| pull(&attest, &hw).unwrap().ticket).collect();
    tickets.sort_unstable();
    assert_eq!(tickets, [0, 1, 2, 3]);
    assert_eq!(pull(&attest, &hw).err(), Some(Status::Again));
}

#[test]
fn other_algorithms_curves_and_operations_are_refused() {
    let (hw, attest) = (Fake::new(), attest());
    assert_eq!(push(&attest, &hw, &SignRequest { sig_alg: 1, ..request(0, [0; 48]) }), Err(Status::Invalid));
    assert_eq!(push(&attest, &hw, &SignRequest { hash_alg: 0, ..request(0, [0; 48]) }), Err(Status::Invalid));
    assert_eq!(attest.token_sign(&hw, 3, PAGE, 1), Err(Status::Invalid));
    assert_eq!(attest.token_sign(&hw, 3, part(96), 0), Err(Status::Invalid));
    assert_eq!(attest.token_sign(&hw, 1, part(79), 0), Err(Status::Invalid));
    for operation in [0, 4, u64::MAX] {
        assert_eq!(attest.token_sign(&hw, operation, PAGE, 0), Err(Status::Invalid));
    }
    assert_eq!(pull(&attest, &hw).err(), Some(Status::Again), "nothing was queued");
}

#[test]
fn keys_whose_halves_do_not_belong_together_are_refused() {
    assert_eq!(Attest::new(&[], &[0; 48], &[0; 48], &[0; 48]).err(), Some(BadKey::Scalar));
    assert_eq!(Attest::new(&[], &[0xff; 48], &[0; 48], &[0; 48]).err(), Some(BadKey::Scalar));
    assert_eq!(Attest::new(&[], &[1; 48], &[0; 48], &[0; 48]).err(), Some(BadKey::Point));
}
