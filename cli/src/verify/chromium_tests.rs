//! Pages in headless Chromium, at the width of a desk and of a telephone. `ALLOD_CHROMIUM` names the program; `cargo
//! xtask test` sees to it.

use super::page_tests::{Sample, labels, samples};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What runs in a copy of a page, whose own policy is taken out for it, and tells what is seen.
const PROBE: &str = "<script id=\"probe\">addEventListener('load', () => {
const wide = document.documentElement.clientWidth;
const shown = e => e.checkVisibility() && !e.closest('svg') && !e.closest('.marks');
const over = [...document.querySelectorAll('body *')].filter(shown).filter(e => e.getBoundingClientRect().right > wide + 1);
const drawn = [...document.querySelectorAll('svg.chain')].filter(e => e.getBoundingClientRect().height > 100);
const outside = drawn.flatMap(s => [...s.querySelectorAll('text')].filter(t => {
  const [a, b] = [t.getBoundingClientRect(), s.getBoundingClientRect()];
  return t.textContent && (a.right > b.right || a.left < b.left || a.bottom > b.bottom); }));
parent.document.body.dataset.seen = JSON.stringify({ wide, scroll: document.documentElement.scrollWidth,
  over: over.map(e => e.tagName + '.' + e.className), outside: outside.map(e => e.textContent), drawn: drawn.length,
  title: document.title, scripts: document.scripts.length, images: document.images.length,
  checks: [...document.querySelectorAll('tr.check')].filter(e => e.getBoundingClientRect().height > 10).length,
  events: [...document.querySelectorAll('.timeline > li')].filter(e => e.getBoundingClientRect().height > 10).length,
  nodes: drawn.flatMap(s => [...s.querySelectorAll('.node')]).length });
});</script></body>";

/// Chromium and a folder for it, which goes with it.
struct Browser {
    program: PathBuf,
    folder: PathBuf,
}

impl Browser {
    fn find() -> Option<Self> {
        let Some(program) = std::env::var_os("ALLOD_CHROMIUM").map(PathBuf::from) else {
            // Past the capture of passing tests' output: a skipped test must be seen.
            let _ = writeln!(std::io::stderr(), "SKIPPED: pages in Chromium; set ALLOD_CHROMIUM");
            return None;
        };
        let folder = std::env::temp_dir().join(format!("allod-chromium-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        Some(Self { program, folder })
    }

    fn write(&self, name: &str, html: &str) -> PathBuf {
        let path = self.folder.join(name);
        std::fs::write(&path, html).expect("written");
        path
    }

    fn run(&self, width: u32, arguments: &[&str], page: &Path) -> Output {
        let mut command = Command::new(&self.program);
        command.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]);
        command.args(["--disable-background-networking", "--disable-component-update", "--disable-sync"]);
        command.args(["--hide-scrollbars", "--host-resolver-rules=MAP * ~NOTFOUND", "--enable-logging=stderr"]);
        command.arg(format!("--user-data-dir={}", self.folder.join("profile").display()));
        command.arg(format!("--window-size={width},2400")).args(arguments).arg(format!("file://{}", page.display()));
        let output = command.output().expect("Chromium runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output
    }

    /// What a page looks like, and what was asked for while it was drawn.
    fn look(&self, page: &Path) -> Look {
        let (shot, net) = (self.folder.join("shot.png"), self.folder.join("net.json"));
        let arguments = [format!("--screenshot={}", shot.display()), format!("--log-net-log={}", net.display())];
        let output = self.run(1200, &[&arguments[0], &arguments[1]], page);
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        let console = errors.lines().filter(|line| line.contains("CONSOLE")).map(str::to_string).collect();
        let net = std::fs::read_to_string(net).expect("a log of the network");
        let asked = net.split("\"url\":\"").skip(1).filter_map(|rest| rest.split('"').next());
        // What Chromium asks its makers for of its own accord.
        let own = |url: &&str| {
            let host = url.split("://").nth(1).and_then(|rest| rest.split(['/', ':', '?']).next()).unwrap_or_default();
            host.ends_with(".google.com") || host.ends_with(".googleapis.com") || host.ends_with(".gvt1.com")
        };
        let asked = asked.filter(|url| url.starts_with("http") && !own(url)).map(str::to_string).collect();
        Look { console, asked, picture: std::fs::metadata(shot).expect("a picture").len() }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

#[derive(Debug)]
struct Look {
    console: Vec<String>,
    asked: Vec<String>,
    /// Size of the picture in bytes: an empty page compresses to next to nothing.
    picture: u64,
}

/// The page with the probe in place of what forbids scripts.
fn probed(html: &str) -> String {
    let policy = html.find("<meta http-equiv").expect("a policy");
    let end = html[policy..].find('>').expect("its end") + policy + 1;
    format!("{}{}", &html[..policy], html[end..].replacen("</body>", PROBE, 1))
}

/// A page within another one, because no window is as narrow as a telephone.
fn framed(html: &str, width: u32) -> String {
    let content = probed(html).replace('&', "&amp;").replace('"', "&quot;");
    format!(
        "<!DOCTYPE html><body><iframe style=\"border:0;width:{width}px;height:2000px\" srcdoc=\"{content}\"></iframe>"
    )
}

fn seen(browser: &Browser, sample: &Sample, width: u32) -> serde_json::Value {
    let page = browser.write("probe.html", &framed(&sample.html, width));
    let output = browser.run(1300, &["--dump-dom"], &page);
    let dom = String::from_utf8_lossy(&output.stdout).into_owned();
    let said = dom.split("data-seen=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("the probe ran");
    serde_json::from_str(&said.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
        .expect("JSON")
}

#[test]
fn pages_are_looked_at_in_chromium() {
    let Some(browser) = Browser::find() else { return };
    let empty = browser.look(&browser.write("empty.html", "<!DOCTYPE html><title>empty</title>"));
    let control = "<!DOCTYPE html><img src=\"http://elsewhere.example/x.png\"><script>console.error('seen')</script>";
    let control = browser.look(&browser.write("control.html", control));
    assert!(control.asked.iter().any(|url| url.contains("elsewhere.example")), "the control: {control:?}");
    assert!(!control.console.is_empty(), "the control: {control:?}");
    for sample in samples("chromium") {
        let name = sample.name;
        let look = browser.look(&browser.write("page.html", &sample.html));
        assert!(look.console.is_empty() && look.asked.is_empty(), "{name}: {look:?}");
        assert!(look.picture > 8 * empty.picture, "{name}: {look:?}, an empty page {empty:?}");
        for width in [1200, 390] {
            let seen = seen(&browser, &sample, width);
            assert_eq!(seen["wide"], width, "{name}: {seen}");
            assert!(seen["scroll"].as_u64() <= Some(width.into()), "{name}: {seen}");
            assert_eq!(
                (&seen["over"], &seen["outside"]),
                (&serde_json::json!([]), &serde_json::json!([])),
                "{name}: {seen}"
            );
            assert_eq!((&seen["scripts"], &seen["images"]), (&1.into(), &0.into()), "{name}: hostile text is text");
            assert!(seen["title"].as_str().is_some_and(|title| title.ends_with(".cbor")), "{name}: {seen}");
            assert_eq!(seen["checks"], labels(&sample).len(), "{name}: {seen}");
            assert_eq!((&seen["events"], &seen["drawn"]), (&sample.events.into(), &1.into()), "{name}: {seen}");
            // Root, key and three of the token at least, the log, and five registers.
            assert!(seen["nodes"].as_u64() >= Some(11), "{name}: {seen}");
        }
    }
}
