//! Realms (RMM 1.0, A2.1, B4.3.9 to B4.3.11).

use super::answer::{Conditions, INPUT, Outcome, realm};
use super::measure::{self, Hash, Measurement};
use super::page::word;
use super::space::Space;
use super::{GRANULE, Limits, Model, State};

/// A realm's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Life {
    /// Being built.
    New,
    /// May run.
    Active,
    /// Has turned itself off.
    SystemOff,
}

/// A realm.
#[derive(Clone, Debug)]
pub struct Realm {
    /// Where it stands.
    pub life: Life,
    /// Its tables.
    pub space: Space,
    /// Its first tables' granules.
    pub roots: Vec<u64>,
    /// Its VMID.
    pub vmid: u64,
    /// Realm personalization value.
    pub rpv: [u8; 64],
    /// RIM, then four REMs.
    pub measurements: [Measurement; 5],
    /// The index that the next REC must have.
    pub next_index: u64,
    pub(super) hash: Hash,
}

/// What the host asks for.
struct Params<'i>(&'i [u8]);

impl Params<'_> {
    fn byte(&self, at: usize) -> u64 {
        u64::from(self.0[at])
    }

    fn flags(&self) -> u64 {
        word(self.0, 0)
    }

    fn width(&self) -> u64 {
        self.byte(8)
    }

    fn vmid(&self) -> u64 {
        word(self.0, 0x800) & 0xFFFF
    }

    fn rtt_base(&self) -> u64 {
        word(self.0, 0x808)
    }

    fn start(&self) -> i64 {
        word(self.0, 0x810).cast_signed()
    }

    fn num_start(&self) -> u64 {
        word(self.0, 0x818) & 0xFFFF_FFFF
    }

    fn roots(&self) -> Vec<u64> {
        (0..self.num_start()).map(|number| self.rtt_base().wrapping_add(number * GRANULE)).collect()
    }

    /// LPA2 is not there to be asked for.
    fn asks_for_what_is_not_there(&self, limits: &Limits) -> bool {
        let none = |value: u64, most: u64| value == 0 || value > most;
        let sve = self.flags() & 0b010 != 0;
        let pmu = self.flags() & 0b100 != 0;
        self.flags() & 0b001 != 0
            || pmu && limits.pmu_counters.is_none_or(|most| none(self.byte(0x28), most))
            || sve && limits.sve_vl.is_none_or(|most| self.byte(0x10) > most)
            || none(self.byte(0x18), limits.num_bps)
            || none(self.byte(0x20), limits.num_wps)
            || Hash::from_wire(self.0[0x30]).is_none()
    }

    /// Width, start level and number of first tables belong together (RMM 1.0, A5.4; Arm ARM, D8.2).
    fn is_no_space(&self, limits: &Limits) -> bool {
        let (width, start) = (self.width(), self.start());
        if !(32..=limits.s2sz).contains(&width) || !(0..=3).contains(&start) {
            return true;
        }
        let k = (3 - start).cast_unsigned();
        let least = 9 * k + 13;
        let concatenated = if start > 0 { 4 } else { 0 };
        let roots = if width <= 9 * k + 21 { 1 } else { 1 << (width - 9 * k - 21) };
        width < least || width > least + 8 + concatenated || self.num_start() != roots
    }
}

impl Model {
    fn vmid_in_use(&self, vmid: u64) -> bool {
        self.realms.values().any(|realm| realm.vmid == vmid)
    }

    fn roots_unfit(&self, params: &Params<'_>, rd: u64) -> bool {
        let roots = params.roots();
        !params.rtt_base().is_multiple_of(params.num_start() * GRANULE)
            || roots.contains(&rd)
            || roots.iter().any(|root| self.is_not(*root, State::Delegated))
    }

    pub(super) fn realm_create(&mut self, x: &[u64; 8], accepted: bool) -> Outcome {
        let (rd, from) = (x[1], x[2]);
        let mut conditions = Conditions::default();
        conditions.when(self.is_not(rd, State::Delegated), INPUT).when(!self.is_normal(from), INPUT).refuse()?;
        let image = self.image(from);
        let params = Params(&image[..]);
        let vmid = params.vmid();
        conditions
            .when(params.asks_for_what_is_not_there(&self.limits), INPUT)
            .when(params.is_no_space(&self.limits), INPUT)
            .when(vmid >> self.limits.vmid_bits != 0 || self.vmid_in_use(vmid), INPUT)
            .refuse()?;
        conditions.when(self.roots_unfit(&params, rd), INPUT);
        // A vector length without the flag for SVE, or counters without that for PMU: nothing says whether it counts.
        conditions
            .may(params.flags() & 0b010 == 0 && params.byte(0x10) != 0, INPUT)
            .may(params.flags() & 0b100 == 0 && params.byte(0x28) != 0, INPUT);
        conditions.settle(accepted)?;
        self.add_realm(rd, &params);
        Ok(vec![])
    }

    fn add_realm(&mut self, rd: u64, params: &Params<'_>) {
        let Some(hash) = Hash::from_wire(params.0[0x30]) else { return };
        let roots = params.roots();
        self.set(rd, State::Rd);
        roots.iter().for_each(|root| self.set(*root, State::Rtt));
        let mut measurements = [[0; 64]; 5];
        measurements[0] = measure::created(hash, params.0);
        let realm = Realm {
            life: Life::New,
            space: Space::new(params.width() as u32, params.start(), &roots),
            roots,
            vmid: params.vmid(),
            rpv: params.0[0x400..0x440].try_into().expect("64 bytes"),
            measurements,
            next_index: 0,
            hash,
        };
        self.realms.insert(rd, realm);
    }

    pub(super) fn realm_activate(&mut self, x: &[u64; 8]) -> Outcome {
        let mut conditions = Conditions::default();
        conditions.when(self.is_not(x[1], State::Rd), INPUT).refuse()?;
        let target = self.realm(x[1]);
        conditions.when(target.life != Life::New, realm(0)).refuse()?;
        target.life = Life::Active;
        Ok(vec![])
    }

    pub(super) fn realm_destroy(&mut self, x: &[u64; 8]) -> Outcome {
        let rd = x[1];
        let mut conditions = Conditions::default();
        conditions.when(self.is_not(rd, State::Rd), INPUT).refuse()?;
        let has_recs = self.recs.values().any(|rec| rec.owner == rd);
        conditions.when(has_recs || self.realm(rd).space.is_live(), realm(0)).refuse()?;
        let roots = self.realm(rd).roots.clone();
        roots.iter().for_each(|root| self.free(*root));
        self.free(rd);
        self.realms.remove(&rd);
        Ok(vec![])
    }

    pub(super) fn rec_aux_count(&mut self, x: &[u64; 8]) -> Outcome {
        Conditions::default().when(self.is_not(x[1], State::Rd), INPUT).refuse()?;
        Ok(vec![self.limits.aux_count])
    }

    /// The realm of an RD, which must be one.
    pub(super) fn realm(&mut self, rd: u64) -> &mut Realm {
        self.realms.get_mut(&rd).expect("each RD is a realm's")
    }
}
