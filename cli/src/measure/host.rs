//! What the host offers, which shows in the RIM of a Realm that another VMM launches.

use measure::vmm::{HOSTS, Host, Pmu};

/// What the host offers.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// A host that is known by name: qemu-max (`-cpu max` of QEMU 8.2 and later) or fvp (Arm's, by shrinkwrap).
    #[arg(long, value_name = "NAME", value_parser = named, help_heading = "Host")]
    host: Option<Host>,
    /// Breakpoints of its processor.
    #[arg(long, value_name = "COUNT", help_heading = "Host")]
    breakpoints: Option<u8>,
    /// Watchpoints of its processor.
    #[arg(long, value_name = "COUNT", help_heading = "Host")]
    watchpoints: Option<u8>,
    /// Its longest SVE vector in bits, 0 without SVE; of a virtCCA VM, the VM's own.
    #[arg(long, value_name = "BITS", help_heading = "Host")]
    sve_vl: Option<u16>,
    /// Counters of its PMU, or off; of a virtCCA VM, the VM's own.
    #[arg(long, value_name = "COUNT", value_parser = pmu, help_heading = "Host")]
    pmu_counters: Option<Pmu>,
    /// Its widest Realm address in bits.
    #[arg(long, value_name = "BITS", help_heading = "Host")]
    ipa_bits: Option<u8>,
    /// kvmtool: take PMU and SVE as the host has them where the command line says nothing, as cca-realm-measurements does.
    #[arg(long, help_heading = "Host")]
    pub assume_host_features: bool,
}

impl Args {
    /// The host, what is said of it alone before what its name says.
    pub fn host(&self) -> Host {
        let base = self.host.unwrap_or_default();
        Host {
            breakpoints: self.breakpoints.or(base.breakpoints),
            watchpoints: self.watchpoints.or(base.watchpoints),
            sve: self.sve_vl.or(base.sve),
            pmu: self.pmu_counters.or(base.pmu),
            ipa_width: self.ipa_bits.or(base.ipa_width),
        }
    }
}

fn named(name: &str) -> Result<Host, String> {
    let known = HOSTS.iter().find(|(known, _)| *known == name);
    known.map(|(_, host)| *host).ok_or_else(|| {
        let names: Vec<&str> = HOSTS.iter().map(|(name, _)| *name).collect();
        format!(
            "expected {}; of another host say --breakpoints, --watchpoints, --sve-vl and --pmu-counters",
            names.join(" or ")
        )
    })
}

fn pmu(text: &str) -> Result<Pmu, String> {
    match text {
        "off" => Ok(Pmu::Off),
        count => count.parse().map(Pmu::Counters).map_err(|_| "expected a number of counters, or off".to_string()),
    }
}
