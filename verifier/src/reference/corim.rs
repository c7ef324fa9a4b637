//! Reference values from CoRIMs, and back.

use super::{ComponentReference, PlatformReference, RealmReference, References, RotpkReference, Unusable};
use evidence::Hash;
use evidence::corim::{Component, Corim, Digest, Masked, Platform, Realm, Refusal, Rotpk};
use evidence::lifecycle::State;

impl References {
    /// Takes every platform and Realm of a CoRIM as one more alternative. Whether its signature and validity are good is
    /// for the caller to have judged.
    ///
    /// # Errors
    /// [`Unusable`] if it says something that is not compared, or nothing but keys.
    pub fn add_corim(&mut self, corim: &Corim) -> Result<(), Unusable> {
        if corim.platforms.is_empty() && corim.realms.is_empty() {
            return Err(Unusable::Empty);
        }
        let platforms = corim.platforms.iter().map(PlatformReference::try_from).collect::<Result<Vec<_>, _>>()?;
        self.platforms.extend(platforms);
        self.realms.extend(corim.realms.iter().map(RealmReference::from));
        self.compatible()
    }
}

impl TryFrom<&Platform> for PlatformReference {
    type Error = Unusable;

    fn try_from(it: &Platform) -> Result<Self, Unusable> {
        let components = it.components.iter().map(ComponentReference::try_from).collect::<Result<_, _>>()?;
        Ok(Self {
            implementation_id: Some(it.implementation_id.to_vec()),
            config: it.config.as_ref().map(|it| it.value.clone()),
            config_mask: it.config.as_ref().and_then(|it| it.mask.clone()),
            manufacturing_config: it.manufacturing_config.as_ref().map(|it| it.value.clone()),
            manufacturing_config_mask: it.manufacturing_config.as_ref().and_then(|it| it.mask.clone()),
            components: Some(components),
            rotpks: (!it.rotpks.is_empty()).then(|| it.rotpks.iter().map(RotpkReference::from).collect()),
            lifecycle: None,
        })
    }
}

impl From<&Rotpk> for RotpkReference {
    fn from(it: &Rotpk) -> Self {
        Self { place: it.place.clone(), hash: it.hash.clone() }
    }
}

impl TryFrom<&Component> for ComponentReference {
    type Error = Unusable;

    fn try_from(it: &Component) -> Result<Self, Unusable> {
        // A token has one digest of a component, by one of these algorithms.
        let mut digests = it.digests.iter().map(|it| it.bytes.clone());
        Ok(Self {
            kind: it.name.clone(),
            measurement: digests.next().ok_or(Unusable::NotCompared { what: "a component without digest" })?,
            others: digests.collect(),
            version: it.version.clone(),
            signer_id: Some(it.signer_id.clone()),
        })
    }
}

impl ComponentReference {
    /// Its digests, each by another algorithm.
    pub fn measurements(&self) -> impl Iterator<Item = &[u8]> {
        std::iter::once(&self.measurement).chain(&self.others).map(Vec::as_slice)
    }

    /// Refuses digests by several algorithms, which only a CoRIM can say.
    pub(super) fn by_one_algorithm(&self) -> Result<(), Unusable> {
        let what = "a component with digests by several algorithms";
        if self.others.is_empty() { Ok(()) } else { Err(Unusable::NotCompared { what }) }
    }
}

impl From<&Realm> for RealmReference {
    fn from(it: &Realm) -> Self {
        Self {
            hash: Some(it.rim.hash),
            rim: Some(it.rim.bytes.clone()),
            rems: None,
            some_rems: it.rems.each_ref().map(|rem| rem.as_ref().map(|it| it.bytes.clone())),
            rpv: it.rpv.map(|rpv| rpv.to_vec()),
            ..Self::default()
        }
    }
}

fn needed<T>(field: &'static str, expected: &'static str, value: Option<T>) -> Result<T, Unusable> {
    value.ok_or(Unusable::Value { field, expected, found: String::new() })
}

/// A digest by the algorithm that its length implies.
fn digest(bytes: &[u8]) -> Result<Digest, Refusal> {
    let hash = by_length(bytes.len()).ok_or(Refusal::DigestLength { hash: Hash::Sha256, found: bytes.len() })?;
    Digest::new(hash, bytes)
}

/// The algorithm whose digests have a length.
pub(super) const fn by_length(length: usize) -> Option<Hash> {
    match length {
        32 => Some(Hash::Sha256),
        48 => Some(Hash::Sha384),
        64 => Some(Hash::Sha512),
        _ => None,
    }
}

/// Refuses lifecycles that other forms cannot say: in them a platform is secured, or policy says otherwise.
pub(super) fn default_lifecycle(it: &PlatformReference) -> Result<(), Unusable> {
    match it.lifecycle.as_deref() {
        None | Some([State::Secured]) => Ok(()),
        Some(_) => Err(Unusable::NotCompared { what: "a lifecycle other than secured" }),
    }
}

/// Refuses a policy of memory encryption, which other forms cannot say.
pub(super) fn no_policy(it: &RealmReference) -> Result<(), Unusable> {
    it.mec_policy.map_or(Ok(()), |_| Err(Unusable::NotCompared { what: "a policy of memory encryption" }))
}

impl TryFrom<&PlatformReference> for Platform {
    type Error = Unusable;

    /// Fails on what a CoRIM must have and the reference does not say, and on lifecycles, which a CoRIM cannot say.
    fn try_from(it: &PlatformReference) -> Result<Self, Unusable> {
        default_lifecycle(it)?;
        let id = it.implementation_id.as_deref().and_then(|id| id.try_into().ok());
        let masked = |value: &Option<Vec<u8>>, mask: &Option<Vec<u8>>| {
            value.as_ref().map(|value| Masked::new(value, mask.as_deref())).transpose()
        };
        let rotpk = |it: &RotpkReference| Rotpk { place: it.place.clone(), hash: it.hash.clone() };
        let components = needed("components", "the components of the platform", it.components.as_ref())?;
        let components = components.iter().map(Component::try_from).collect::<Result<_, _>>()?;
        Ok(Self {
            implementation_id: needed("implementation_id", "32 bytes", id)?,
            components,
            config: masked(&it.config, &it.config_mask)?,
            manufacturing_config: masked(&it.manufacturing_config, &it.manufacturing_config_mask)?,
            rotpks: it.rotpks.iter().flatten().map(rotpk).collect(),
        })
    }
}

impl TryFrom<&ComponentReference> for Component {
    type Error = Unusable;

    fn try_from(it: &ComponentReference) -> Result<Self, Unusable> {
        Ok(Self {
            name: it.kind.clone(),
            version: it.version.clone(),
            digests: it.measurements().map(digest).collect::<Result<_, _>>()?,
            signer_id: needed("signer_id", "the hash of the signer's key", it.signer_id.clone())?,
        })
    }
}

impl TryFrom<&RealmReference> for Realm {
    type Error = Unusable;

    fn try_from(it: &RealmReference) -> Result<Self, Unusable> {
        no_policy(it)?;
        let rim = digest(needed("rim", "the initial measurement", it.rim.as_ref())?)?;
        if let Some(hash) = it.hash.filter(|hash| *hash != rim.hash) {
            return Err(Refusal::DigestLength { hash, found: rim.bytes.len() }.into());
        }
        let mut rems = [None, None, None, None];
        for (index, place) in rems.iter_mut().enumerate() {
            *place = it.rem(index).map(digest).transpose()?;
        }
        let rpv = it.rpv.as_ref().map(|rpv| <[u8; 64]>::try_from(rpv.as_slice()));
        let rpv = rpv.transpose().map_err(|_| Refusal::Rpv { found: it.rpv.as_ref().map_or(0, Vec::len) })?;
        Ok(Self { rim, rems, rpv })
    }
}
