//! RMI_GRANULE_DELEGATE and RMI_GRANULE_UNDELEGATE (RMM 1.0, B4.3.6, B4.3.7).

use super::{Answer, NONE};
use crate::granule::{State, claim};
use crate::platform::Platform;
use abi::rmi::Status;

/// RMI_GRANULE_DELEGATE: takes a granule from the Normal world.
pub fn delegate<P: Platform>(platform: &P, address: u64) -> Answer {
    let mut granule = claim(platform, address, State::Undelegated)?;
    platform.delegate(granule.pa()).map_err(|_| Status::Input)?;
    // Commit. What is delegated and unused is zero.
    platform.wipe(granule.held());
    granule.become_state(State::Delegated);
    Ok(NONE)
}

/// RMI_GRANULE_UNDELEGATE: gives a granule back, which is zero.
pub fn undelegate<P: Platform>(platform: &P, address: u64) -> Answer {
    let granule = claim(platform, address, State::Delegated)?;
    platform.undelegate(granule.pa()).map_err(|_| Status::Input)?;
    granule.become_state(State::Undelegated);
    Ok(NONE)
}
