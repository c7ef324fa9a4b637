//! The monitor's call trace, made readable: numbers become the specification's names.

use abi::{el3, rmi, rsi};

/// A line of trace in words, or nothing where the line is no trace.
///
/// `T <rmi|rsi|el3> <cpu> <fid hex> <x1..x4 hex> -> <x0..x4 hex>` (docs/architecture.md §4).
pub fn decode(line: &str) -> Option<String> {
    let (call, result) = line.strip_prefix("T ")?.split_once(" -> ")?;
    let mut words = call.split_whitespace();
    let (kind, cpu) = (words.next()?, words.next()?);
    let fid = rmi::fid_of(number(words.next()?)?);
    let args: Vec<&str> = words.collect();
    let results: Vec<&str> = result.split_whitespace().collect();
    let status = number(results.first()?)?;
    Some(format!(
        "cpu{cpu} {}({}) = {}{}",
        name(kind, fid).map_or_else(|| format!("{kind} {fid:#x}"), str::to_owned),
        meaningful(&args).join(", "),
        outcome(kind, status),
        meaningful(&results[1..]).iter().map(|word| format!(" {word}")).collect::<String>()
    ))
}

fn number(word: &str) -> Option<u64> {
    u64::from_str_radix(word.trim_start_matches("0x"), 16).ok()
}

/// The words up to the last one that is not zero.
fn meaningful(words: &[&str]) -> Vec<String> {
    let last = words.iter().rposition(|word| number(word) != Some(0)).map_or(0, |at| at + 1);
    words[..last].iter().map(|word| format!("0x{}", word.trim_start_matches("0x"))).collect()
}

fn name(kind: &str, fid: u32) -> Option<&'static str> {
    match kind {
        "rmi" => rmi::name(fid),
        "rsi" => rsi::name(fid),
        _ => service(fid),
    }
}

fn service(fid: u32) -> Option<&'static str> {
    Some(match fid {
        el3::REQ_COMPLETE => "RMM_RMI_REQ_COMPLETE",
        el3::GTSI_DELEGATE => "RMM_GTSI_DELEGATE",
        el3::GTSI_UNDELEGATE => "RMM_GTSI_UNDELEGATE",
        el3::GET_REALM_ATTEST_KEY => "RMM_ATTEST_GET_REALM_KEY",
        el3::GET_PLAT_TOKEN => "RMM_ATTEST_GET_PLAT_TOKEN",
        el3::FEATURES => "RMM_EL3_FEATURES",
        el3::TOKEN_SIGN => "RMM_EL3_TOKEN_SIGN",
        el3::BOOT_COMPLETE => "RMM_BOOT_COMPLETE",
        _ => return None,
    })
}

/// A status in words. That of an RMI also has an index above its lowest byte.
fn outcome(kind: &str, status: u64) -> String {
    match kind {
        "rmi" => rmi::Status::from_word(status).map_or_else(|| format!("{status:#x}"), |status| format!("{status:?}")),
        "rsi" => ["SUCCESS", "ERROR_INPUT", "ERROR_STATE", "INCOMPLETE", "ERROR_UNKNOWN"]
            .get(usize::try_from(status).unwrap_or(usize::MAX))
            .map_or_else(|| format!("{status:#x}"), |name| (*name).to_owned()),
        _ => (status.cast_signed()).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_named_with_its_arguments_and_status() {
        let line = "T rmi 0 c4000153 42000000 43000000 40000000 44000000 -> 0 0 0 0 0";
        let text = decode(line).unwrap();
        assert!(text.starts_with("cpu0 RMI_DATA_CREATE(0x42000000, 0x43000000, 0x40000000, 0x44000000) = "), "{text}");
    }

    #[test]
    fn a_service_of_el3_answers_a_signed_number() {
        let line = "T el3 1 c40001b0 42000000 0 0 0 -> fffffffffffffffe 0 0 0 0";
        assert_eq!(decode(line).unwrap(), "cpu1 RMM_GTSI_DELEGATE(0x42000000) = -2");
    }

    #[test]
    fn a_call_with_the_hint_of_sve_has_its_name() {
        let text = decode("T rmi 2 c4010151 42000000 0 0 0 -> 0 0 0 0 0").unwrap();
        assert!(text.starts_with("cpu2 RMI_GRANULE_DELEGATE(0x42000000) = "), "{text}");
    }

    #[test]
    fn what_is_no_trace_is_left_alone() {
        assert_eq!(decode("boot: refused: RMM: signature"), None);
        assert_eq!(decode("T rmi"), None);
    }
}
