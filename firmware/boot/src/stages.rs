//! What boot does, stage by stage; each refuses by name, and nothing refused is entered.

use abi::map;
use rot::config::{Firmware, Hardware};
use rot::handover::{Handover, Placed, RakBytes, TOKEN_ROOM};
use rot::image::{Authentic, Header, Kind};
use rot::measurement::{Component, Hash, Measurements, lifecycle, sha256};
use rot::otp::Otp;
use rot::{Refusal, boot, kdf, key, token};
use zerocopy::IntoBytes;
use zeroize::Zeroizing;

use crate::clock::Clock;
use crate::flash;
use crate::memory::{Places, clean};

/// A refusal: at which step, and why.
pub struct Refused {
    /// The step's name.
    pub step: &'static str,
    /// Why it refused.
    pub why: Refusal,
}

/// Names the step of a refusal.
fn at(step: &'static str) -> impl Fn(Refusal) -> Refused {
    move |why| Refused { step, why }
}

/// The machine's configuration.
struct Machine {
    hardware: Hardware,
    firmware: Firmware,
}

/// Runs all stages, and answers where the monitor is entered.
pub fn run(places: Places) -> Result<u64, Refused> {
    let Places { monitor, rmm, handover } = places;
    let mut clock = Clock::start();
    let machine = configuration().map_err(at("configuration"))?;
    clock.print(machine.firmware.debug || machine.firmware.trace != 0);
    let otp = otp().map_err(at("OTP"))?;
    clock.end("configuration", "read");
    let boot = itself(monitor, &mut clock).map_err(at("BOOT"))?;
    let (signed_monitor, monitor) = load(Kind::Monitor, &otp, monitor, &mut clock).map_err(at("MONITOR"))?;
    let (signed_rmm, rmm) = load(Kind::Rmm, &otp, rmm, &mut clock).map_err(at("RMM"))?;
    let hw_config = Component::hardware(&machine.hardware);
    let fw_config = Component::firmware(&machine.firmware);
    let measurements = Measurements { boot, monitor, rmm, hw_config, fw_config };
    let page = attest(&otp, &measurements, &machine, &signed_rmm, &mut clock)?;
    handover.iter_mut().zip(page.as_bytes()).for_each(|(to, from)| *to = *from);
    clean(handover);
    Ok(signed_monitor.statement.entry)
}

/// Reads HW_CONFIG and FW_CONFIG.
fn configuration() -> Result<Machine, Refusal> {
    let hardware = Hardware::parse(&flash::array(map::HW_CONFIG)?)?;
    let firmware = Firmware::parse(&flash::array(map::FW_CONFIG)?)?;
    Ok(Machine { hardware, firmware })
}

/// Reads OTP.
fn otp() -> Result<Otp, Refusal> {
    let mut bytes = Zeroizing::new([0; rot::otp::LENGTH]);
    flash::read(map::OTP, bytes.as_mut_slice())?;
    Otp::parse(&bytes)
}

/// SHA-256 by the processor's instructions, if it has them.
fn hash() -> Hash {
    let instructions = cpu::read!(id_aa64isar0_el1) >> 12 & 0xf != 0;
    if instructions { |bytes| cpu::sha2::sha256(&[bytes], cpu::sha2::Keep::Simd) } else { sha256 }
}

/// Measures boot's own image; `room` is a place not yet used.
fn itself(room: &mut [u8], clock: &mut Clock) -> Result<Component, Refusal> {
    let frame = boot::Frame::parse(&flash::array::<{ boot::FRAME }>(map::FLASH0)?)?;
    let copy = part(room, frame.length)?;
    flash::read(map::FLASH0, copy)?;
    clock.end("BOOT", "copied");
    let component = boot::measure_by(hash(), copy)?;
    clock.end("BOOT", "hashed");
    Ok(component)
}

/// Copies an image to its place and answers its measurement, if OTP's signer signed it and OTP's counter lets it run.
fn load(kind: Kind, otp: &Otp, place: &mut [u8], clock: &mut Clock) -> Result<(Authentic, Component), Refusal> {
    let header = Header::parse(&flash::array(kind.offset())?)?;
    clock.end(format_args!("{kind:?}"), "read header of");
    let signed = header.authenticate(kind, &otp.firmware_key, otp.lowest_version)?;
    clock.end(format_args!("{kind:?}"), "verified signature of");
    let body = part(place, signed.length)?;
    flash::read(kind.offset().saturating_add(rot::image::HEADER as u64), body)?;
    clock.end(format_args!("{kind:?}"), "copied");
    let component = signed.check_by(hash(), body)?;
    clock.end(format_args!("{kind:?}"), "hashed");
    clean(body);
    Ok((signed, component))
}

/// The first `length` bytes of a place.
fn part(place: &mut [u8], length: u64) -> Result<&mut [u8], Refusal> {
    let most = place.len() as u64;
    place.get_mut(..length as usize).ok_or(Refusal::Range { what: "image length", least: 0, most, found: length })
}

/// Derives the keys, signs the platform token, and makes the hand-over.
fn attest(
    otp: &Otp,
    measurements: &Measurements,
    machine: &Machine,
    rmm: &Authentic,
    clock: &mut Clock,
) -> Result<Handover, Refused> {
    let lifecycle = lifecycle(otp.lifecycle, &machine.firmware);
    let cpak = kdf::cpak(&otp.secret).map_err(at("CPAK"))?;
    let rak = kdf::rak(&otp.secret, measurements, lifecycle).map_err(at("RAK"))?;
    let public = rak.public_key().into();
    clock.end("keys", "derived");
    let claims = token::Claims { rak: &public, cpak: &otp.cpak, hardware: &machine.hardware, lifecycle, measurements };
    let mut token = [0; TOKEN_ROOM];
    let length = token::sign(&cpak, &claims, &mut token).map_err(at("platform token"))?;
    clock.end("platform token", "signed");
    let private = Zeroizing::new(<[u8; 48]>::from(rak.to_bytes()));
    let (x, y) = key::coordinates(&public).map_err(at("RAK"))?;
    let rak = RakBytes { private: &private, x: &x, y: &y };
    let signed = token.get(..length).unwrap_or(&[]);
    let rmm = Placed { base: rmm.statement.load, size: rmm.length, entry: rmm.statement.entry };
    Handover::new(&rak, signed, lifecycle, &machine.hardware, &machine.firmware, &rmm).map_err(at("hand-over"))
}
