//! A Realm from images to its end, in software: the host, the monitor and the RMM that ship, and a scripted Realm.

use std::sync::{Arc, Mutex};

use abi::measurement::Hash;
use host::plan::Images;
use host::vmm::Stop;
use machine::{Board, Machine};
use measure::direct::expect;
use allod_stories::realm::{measurement, power_off};
use allod_stories::run::{boot_script, config, kernel, run};

#[test]
fn the_rim_that_the_rmm_holds_is_the_one_that_was_predicted() {
    for hash in [Hash::Sha256, Hash::Sha512] {
        let board = Board::new(4096);
        let machine = Machine::new(&board);
        let (kernel, config) = (kernel(), config(1, hash));
        let images = Images { kernel: &kernel, initrd: b"an initial RAM disk" };
        let seen = Arc::new(Mutex::new(Vec::new()));
        let told = seen.clone();
        boot_script(&machine, move |cpu| {
            *told.lock().unwrap() = measurement(cpu, 0).unwrap()[..hash.size()].to_vec();
            power_off(cpu);
        });
        assert_eq!(run(&machine, &images, &config), Ok(Some(Stop::SystemOff)));
        assert_eq!(*seen.lock().unwrap(), expect(&images, &config).unwrap().rim);
        assert_eq!(machine.census().1, 0, "every granule is the Normal world's again");
    }
}
