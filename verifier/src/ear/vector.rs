//! The trustworthiness vector and its tiers (draft-ietf-rats-ar4si §2.3).

/// How far something can be trusted, from nothing said to the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// Nothing is claimed.
    None,
    /// It is as it should be.
    Affirming,
    /// Something is not as it should be, or could not be checked.
    Warning,
    /// It is not to be trusted.
    Contraindicated,
}

impl Tier {
    const ALL: [Self; 4] = [Self::None, Self::Affirming, Self::Warning, Self::Contraindicated];

    /// The name in results.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Affirming => "affirming",
            Self::Warning => "warning",
            Self::Contraindicated => "contraindicated",
        }
    }

    /// Reads a name; any other text is `None`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tier| tier.name() == name)
    }

    /// The number that stands for a tier itself.
    #[must_use]
    pub const fn number(self) -> i8 {
        match self {
            Self::None => 0,
            Self::Affirming => 2,
            Self::Warning => 32,
            Self::Contraindicated => 96,
        }
    }

    /// The tier that a value of the vector is in.
    #[must_use]
    pub const fn of(value: i8) -> Self {
        match value {
            -1..=1 => Self::None,
            2..=31 | -32..=-2 => Self::Affirming,
            32..=95 | -96..=-33 => Self::Warning,
            _ => Self::Contraindicated,
        }
    }
}

/// What a value of the vector is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aspect {
    /// Which attester it is.
    InstanceIdentity,
    /// How it is configured.
    Configuration,
    /// What runs in it.
    Executables,
    /// What its file systems hold.
    FileSystem,
    /// What it is made of.
    Hardware,
    /// Whether others can look into what runs.
    RuntimeOpaque,
    /// Whether others can look into what is stored.
    StorageOpaque,
    /// Where its data come from.
    SourcedData,
}

impl Aspect {
    /// Every aspect, in the order of the vector.
    pub const ALL: [Self; 8] = [
        Self::InstanceIdentity,
        Self::Configuration,
        Self::Executables,
        Self::FileSystem,
        Self::Hardware,
        Self::RuntimeOpaque,
        Self::StorageOpaque,
        Self::SourcedData,
    ];

    /// The name in results.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::InstanceIdentity => "instance-identity",
            Self::Configuration => "configuration",
            Self::Executables => "executables",
            Self::FileSystem => "file-system",
            Self::Hardware => "hardware",
            Self::RuntimeOpaque => "runtime-opaque",
            Self::StorageOpaque => "storage-opaque",
            Self::SourcedData => "sourced-data",
        }
    }

    /// What a value says of this aspect, in words.
    #[must_use]
    pub const fn meaning(self, value: i8) -> &'static str {
        match (value, self) {
            (-1, _) => "the verifier failed",
            (0, _) => "nothing is claimed",
            (1, _) => "evidence that was not understood",
            (99, _) => "a signature or binding does not hold",
            (2, Self::InstanceIdentity) => "known, and not compromised",
            (96, Self::InstanceIdentity) => "known, and not to be trusted",
            (97, Self::InstanceIdentity) => "not recognised",
            (2, Self::Configuration) => "known and approved",
            (3, Self::Configuration) => "no known vulnerability",
            (32, Self::Configuration) => "known vulnerabilities",
            (36, Self::Configuration) => "parts of it could not be checked",
            (96, Self::Configuration) => "not as it should be",
            (2, Self::Executables) => "approved, during boot and after",
            (3, Self::Executables) => "approved, during boot",
            (32, Self::Executables) => "known vulnerabilities",
            (33, Self::Executables) => "not recognised",
            (96, Self::Executables) => "not what should run",
            (2, Self::Hardware) => "genuine",
            (32, Self::Hardware) => "genuine, with known weaknesses",
            (96, Self::Hardware) => "not to be trusted",
            (97, Self::Hardware) => "not recognised",
            (2, Self::RuntimeOpaque) => "encrypted in memory",
            (32, Self::RuntimeOpaque) => "isolated in memory",
            (96, Self::RuntimeOpaque) => "visible to others",
            (2, Self::StorageOpaque) => "encrypted with keys of the hardware",
            (32, Self::StorageOpaque) => "encrypted with keys of software",
            (2, Self::FileSystem | Self::SourcedData) => "as expected",
            _ => match Tier::of(value) {
                Tier::None => "nothing is claimed",
                Tier::Affirming => "affirming",
                Tier::Warning => "a warning",
                Tier::Contraindicated => "contraindicated",
            },
        }
    }
}

/// One value for each aspect; 0 claims nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Vector([i8; 8]);

impl Vector {
    /// The same value for all aspects.
    #[must_use]
    pub const fn all(value: i8) -> Self {
        Self([value; 8])
    }

    /// The value of an aspect.
    #[must_use]
    pub fn get(&self, aspect: Aspect) -> i8 {
        self.iter().find_map(|(it, value)| (it == aspect).then_some(value)).unwrap_or(0)
    }

    /// Sets the value of an aspect.
    pub fn set(&mut self, aspect: Aspect, value: i8) {
        let places = Aspect::ALL.iter().zip(&mut self.0);
        places.filter(|(it, _)| **it == aspect).for_each(|(_, place)| *place = value);
    }

    /// Every aspect with its value.
    pub fn iter(&self) -> impl Iterator<Item = (Aspect, i8)> {
        Aspect::ALL.into_iter().zip(self.0)
    }

    /// The worst tier of any aspect.
    #[must_use]
    pub fn tier(&self) -> Tier {
        self.0.iter().map(|value| Tier::of(*value)).max().unwrap_or(Tier::None)
    }
}
