//! The RIM of a kernel that this project's host boots directly (profile `allod`).

use abi::measurement::Hash;
use evidence::hex;
use host::config::Config;
use host::image::Image;
use host::plan::{BLOCK, Images, Outline, outline};
use serde_json::{Value, json};

use crate::Error;
use crate::blob::Blob;
use crate::launch::{Entry, Launch, Placed};
use crate::rim::Params;

/// The measurements that a Realm's token must show, and what they depend on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Hash algorithm of RIM and REMs.
    pub hash: Hash,
    /// Realm Initial Measurement, as long as the hash.
    pub rim: Vec<u8>,
    /// The four Realm Extensible Measurements before anything extended them: zeros.
    pub rems: [Vec<u8>; 4],
    /// Realm personalization value.
    pub rpv: [u8; 64],
}

impl Expected {
    /// A Realm that has just been launched.
    pub(crate) fn new(hash: Hash, rim: &[u8], rpv: [u8; 64]) -> Expected {
        let rems = std::array::from_fn(|_| vec![0; hash.size()]);
        Expected { hash, rim: rim.to_vec(), rems, rpv }
    }

    /// The `realm` part of a reference file of profile `allod-reference-1`: lower-case hex throughout.
    #[must_use]
    pub fn json(&self) -> Value {
        let rems = self.rems.each_ref().map(|rem| hex::encode(rem));
        json!({
            "rim": hex::encode(&self.rim),
            "hash": self.hash.name(),
            "rems": rems,
            "rpv": hex::encode(&self.rpv),
        })
    }
}

/// Predicts the measurements of the VM that the host builds from the same files and configuration.
///
/// # Errors
/// [`Error::Host`] where the host would refuse to build it.
pub fn expect(images: &Images<'_>, config: &Config) -> Result<Expected, Error> {
    let image = Image::parse(images.kernel).map_err(Error::Host)?;
    let initrd = (!images.initrd.is_empty()).then(|| Blob::bytes(images.initrd));
    stream(&image, Blob::bytes(images.kernel), initrd, config)
}

/// The same, of images that are read a piece at a time.
///
/// # Errors
/// As for [`expect`], and an image that cannot be read.
pub fn stream(image: &Image, kernel: Blob<'_>, initrd: Option<Blob<'_>>, config: &Config) -> Result<Expected, Error> {
    let length = initrd.as_ref().and_then(Blob::length).unwrap_or(0);
    let Outline { realm, layout, dtb, first } = outline(image, length, config).map_err(Error::Host)?;
    let mut images = vec![
        Placed { what: "kernel", ipa: layout.kernel.start, blob: kernel },
        Placed { what: "device tree", ipa: layout.dtb.start, blob: Blob::bytes(&dtb) },
    ];
    images.extend(initrd.map(|blob| Placed { what: "initrd", ipa: layout.initrd.start, blob }));
    let launch = Launch {
        params: Params::from(&realm),
        ram: layout.ram,
        entries: &[BLOCK],
        images,
        entry: Entry { pc: first.pc, x0: first.gprs[0] },
        unmeasured: None,
        rpv: realm.rpv,
    };
    launch.measure()
}

impl From<&host::plan::Realm> for Params {
    fn from(realm: &host::plan::Realm) -> Params {
        let host::plan::Realm { ipa_width, num_bps, num_wps, hash, .. } = *realm;
        Params { ipa_width, sve: None, num_bps, num_wps, pmu: None, hash }
    }
}

#[cfg(test)]
mod tests;
