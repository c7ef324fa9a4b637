//! `cargo xtask bench demo`: how long each stage takes, beside the same kernel as a plain Normal-world guest.
//! `cargo xtask bench rmm`, `cargo xtask bench verify`: see the modules of these names.

mod rmm;
mod verify;

pub(crate) use rmm::rmm;
pub(crate) use verify::verify;

use crate::demo::World;
use crate::{Done, room};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixListener;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Runs the demo and the plain boot several times and prints the median of every stage.
pub(crate) fn demo(runs: u32, as_json: bool) -> Done {
    let world = World::prepare()?;
    let mut names = Vec::new();
    let mut stages: HashMap<String, Vec<f64>> = HashMap::new();
    let mut record = |name: &str, seconds: f64| {
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
        stages.entry(name.to_owned()).or_default().push(seconds);
    };
    for _ in 0..runs {
        let (timeline, wall) = realm(&world)?;
        for stage in timeline.as_array().into_iter().flatten() {
            record(stage["stage"].as_str().unwrap_or_default(), stage["seconds"].as_f64().unwrap_or(0.0));
        }
        record("Realm: launch to verdict and power-off", wall);
        let (ready, off) = plain(&world)?;
        record("plain boot: QEMU start to the guest tool", ready);
        record("plain boot: QEMU start to power-off", off);
    }
    let rows: Vec<(String, f64)> =
        names.into_iter().map(|name| (name.clone(), stages.get_mut(&name).map_or(0.0, |all| median(all)))).collect();
    if as_json {
        let rows: Vec<Value> = rows.iter().map(|(name, seconds)| json!({"stage": name, "seconds": seconds})).collect();
        println!("{}", json!({"runs": runs, "medians": rows}));
    } else {
        println!("median of {runs}");
        rows.iter().for_each(|(name, seconds)| println!("  {seconds:>7.3} s  {name}"));
    }
    Ok(())
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => 0.0,
        odd if odd % 2 == 1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}

fn realm(world: &World) -> Done<(Value, f64)> {
    let begun = Instant::now();
    let out = world.run().args(["--verify", "--json"]).output()?;
    let wall = begun.elapsed().as_secs_f64();
    let json: Value = serde_json::from_slice(&out.stdout)?;
    if json["verdict"] != "affirming" {
        return Err(format!("the demo was not affirmed: failed at {}: {}", json["failed"], json["reason"]).into());
    }
    Ok((json["timeline"].clone(), wall))
}

/// Boots the same kernel and initramfs without any of our firmware, and answers the seconds to the guest tool's first
/// word and to power-off.
fn plain(world: &World) -> Done<(f64, f64)> {
    let socket = room::target("allod/plain.socket");
    let _ = fs::remove_file(&socket);
    let listener = UnixListener::bind(&socket)?;
    let begun = Instant::now();
    let mut qemu = Command::new(&world.qemu.program);
    qemu.args(["-M", "virt,gic-version=3", "-cpu", "max", "-accel", "tcg,thread=multi", "-m", "256M", "-smp", "1"]);
    qemu.args(["-nodefaults", "-display", "none", "-monitor", "none", "-no-reboot"]);
    qemu.arg("-kernel").arg(&world.kernel.image).arg("-initrd").arg(&world.images.initrd);
    qemu.args(["-append", "console=hvc0 quiet", "-chardev", "null,id=c0"]);
    qemu.args(["-chardev", &format!("socket,id=c1,path={}", socket.display())]);
    for console in ["c0", "c1"] {
        qemu.args(["-device", &format!("virtio-serial-pci,id=bus-{console},max_ports=1")]);
        qemu.args(["-device", &format!("virtconsole,bus=bus-{console}.0,nr=0,chardev={console}")]);
    }
    let mut child = qemu.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?;
    let (mut stream, _) = listener.accept()?;
    stream.set_read_timeout(Some(Duration::from_secs(120)))?;
    let mut line = String::new();
    let heard = BufReader::new(stream.try_clone()?).read_line(&mut line);
    let ready = begun.elapsed().as_secs_f64();
    stream.write_all(b"poweroff\n")?;
    let ended = if heard.is_ok() && line.starts_with("ready") { child.wait().map(|_| ()) } else { child.kill() };
    let _ = child.wait();
    ended?;
    if !line.starts_with("ready") {
        return Err(format!("the plain boot did not come to the guest tool: {line:?}").into());
    }
    Ok((ready, begun.elapsed().as_secs_f64()))
}
