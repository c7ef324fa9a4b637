//! Which of several references a token is held against.

use super::{PlatformReference, RealmReference, References, Unusable};
use crate::components;
use evidence::{PlatformClaims, RealmClaims};

impl References {
    /// Refuses stores none of whose entries agrees with what is expected besides.
    pub(super) fn compatible(&self) -> Result<(), Unusable> {
        let agree = |field, some: bool, joined: usize| {
            if some && joined == 0 { Err(Unusable::Conflict { field }) } else { Ok(()) }
        };
        agree("platform", !self.platforms.is_empty(), self.joined_platforms().len())?;
        agree("realm", !self.realms.is_empty(), self.joined_realms().len())
    }

    /// The alternatives, each along with what is expected of every platform.
    fn joined_platforms(&self) -> Vec<PlatformReference> {
        let base = self.platform.clone().unwrap_or_default();
        let joined = |it: &PlatformReference| {
            let mut base = base.clone();
            base.join(it.clone()).ok().map(|()| base)
        };
        self.platforms.iter().filter_map(joined).collect()
    }

    fn joined_realms(&self) -> Vec<RealmReference> {
        let base = self.realm.clone().unwrap_or_default();
        let joined = |it: &RealmReference| {
            let mut base = base.clone();
            base.join(it.clone()).ok().map(|()| base)
        };
        self.realms.iter().filter_map(joined).collect()
    }

    /// What to hold a platform against: of several, the one that it fits, else the one that it is said to be, else the
    /// first, so that the report can name what differs.
    #[must_use]
    pub fn platform_for(&self, claims: &PlatformClaims<'_>) -> Option<PlatformReference> {
        if self.platforms.is_empty() {
            return self.platform.clone();
        }
        let mut joined = self.joined_platforms();
        let named = |it: &PlatformReference| it.implementation_id.as_deref() == Some(&claims.implementation_id[..]);
        let best = joined.iter().position(|it| named(it) && fits(it, claims)).or(joined.iter().position(named));
        let best = best.unwrap_or(0);
        (best < joined.len()).then(|| joined.swap_remove(best))
    }

    /// What to hold a Realm against, likewise; a Realm is named by its initial measurement.
    #[must_use]
    pub fn realm_for(&self, claims: &RealmClaims<'_>) -> Option<RealmReference> {
        if self.realms.is_empty() {
            return self.realm.clone();
        }
        let mut joined = self.joined_realms();
        let named = |it: &RealmReference| it.rim.as_deref() == Some(claims.rim);
        let best = joined.iter().position(|it| named(it) && it.fits(claims)).or(joined.iter().position(named));
        let best = best.unwrap_or(0);
        (best < joined.len()).then(|| joined.swap_remove(best))
    }
}

/// Whether configuration and components are as expected.
fn fits(reference: &PlatformReference, claims: &PlatformClaims<'_>) -> bool {
    let components = reference.components.as_deref().unwrap_or_default();
    reference.admits_config(claims.config)
        && components::compare(components, &claims.components).iter().all(|it| it.status == crate::Status::Ok)
}

impl PlatformReference {
    /// Whether a configuration is as expected, in the bits that are compared.
    #[must_use]
    pub fn admits_config(&self, found: &[u8]) -> bool {
        let Some(config) = &self.config else { return true };
        let masked = evidence::corim::Masked { value: config.clone(), mask: self.config_mask.clone() };
        masked.admits(found)
    }
}

impl RealmReference {
    /// The expected value of an extensible measurement.
    #[must_use]
    pub fn rem(&self, index: usize) -> Option<&[u8]> {
        let all = self.rems.as_ref().and_then(|rems| rems.get(index));
        let some = self.some_rems.get(index).and_then(Option::as_ref);
        all.or(some).map(Vec::as_slice)
    }

    fn fits(&self, claims: &RealmClaims<'_>) -> bool {
        let rems = claims.rems.iter().enumerate().all(|(index, found)| self.rem(index).is_none_or(|it| it == *found));
        rems && self.rpv.as_deref().is_none_or(|rpv| rpv == claims.rpv)
    }
}
