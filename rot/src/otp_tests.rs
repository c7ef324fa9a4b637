use super::*;

fn otp() -> Otp {
    Otp { secret: [7; 32], firmware_key: [8; 32], cpak: [9; 32], lowest_version: 3, lifecycle: 0x3000 }
}

#[test]
fn what_is_programmed_is_read() {
    assert!(Otp::parse(&otp().encode()).is_ok_and(|read| read == otp()));
}

#[test]
fn an_unprogrammed_or_altered_otp_is_refused_by_name() {
    let refusal = |bytes: &[u8; LENGTH]| Otp::parse(bytes).err();
    assert!(matches!(refusal(&[0xFF; LENGTH]), Some(Refusal::Magic { what: "OTP", .. })));
    let with = |offset: usize, bytes: &[u8]| {
        let mut otp = *otp().encode();
        otp[offset..offset + bytes.len()].copy_from_slice(bytes);
        refusal(&otp)
    };
    let field = |what, expected, found| Some(Refusal::Field { what, expected, found });
    assert_eq!(with(8, &[1]), field("OTP format", 2, 1));
    assert_eq!(with(12, &[0, 0x50]), field("OTP lifecycle", 0x3000, 0x5000));
    assert_eq!(with(16, &[0; 32]), Some(Refusal::Blank { what: "OTP root secret" }));
    assert_eq!(with(48, &[0; 32]), Some(Refusal::Blank { what: "OTP firmware key hash" }));
    assert_eq!(with(80, &[0; 32]), Some(Refusal::Blank { what: "OTP CPAK hash" }));
    assert_eq!(with(4095, &[1]), Some(Refusal::NotZero { what: "OTP after its last field" }));
}
