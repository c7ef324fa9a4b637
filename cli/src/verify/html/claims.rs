//! Authentic claims.

use super::escape::Escaped;
use super::state::State;
use std::fmt::{self, Formatter};
use verifier::Verdict;
use verifier::verdict::{Component, Platform, Realm};

/// What the platform and the RMM say, if the token is authentic.
pub struct Claims<'a>(pub &'a Verdict);

impl fmt::Display for Claims<'_> {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let Some(realm) = self.0.realm() else {
            return out.write_str(
                "<p class=\"note\">The token is not authentic: what it says is not shown here, because nobody stands for it.</p>\n",
            );
        };
        out.write_str("<div class=\"cards\">\n")?;
        match self.0.platform() {
            Some(claims) => platform(out, claims)?,
            None => out.write_str(
                "<section class=\"card\"><h3>Platform</h3><p class=\"note\">Machines of this generation say nothing about \
                 themselves.</p></section>\n",
            )?,
        }
        realm_card(out, realm)?;
        out.write_str("</div>\n")?;
        match self.0.platform() {
            Some(claims) if !claims.components.is_empty() => components(out, self.0, &claims.components),
            _ => Ok(()),
        }
    }
}

fn line(out: &mut Formatter<'_>, name: &str, value: impl fmt::Display) -> fmt::Result {
    writeln!(out, "<div><dt>{name}</dt><dd>{}</dd></div>", Escaped(value))
}

fn optional(out: &mut Formatter<'_>, name: &str, value: Option<&str>) -> fmt::Result {
    value.map_or(Ok(()), |value| line(out, name, value))
}

fn platform(out: &mut Formatter<'_>, claims: &Platform) -> fmt::Result {
    out.write_str("<section class=\"card\"><h3>Platform</h3><dl>\n")?;
    line(out, "Profile", &claims.profile)?;
    line(out, "Lifecycle", &claims.lifecycle)?;
    line(out, "Implementation", &claims.implementation_id)?;
    line(out, "Instance", &claims.instance_id)?;
    line(out, "Configuration", &claims.config)?;
    line(out, "Vouches for", &claims.binding)?;
    optional(out, "Production", claims.manufacturing_config.as_deref())?;
    for device in &claims.devices {
        let kind = device.kind.as_deref().unwrap_or("(no type)");
        line(out, "Device", format_args!("{kind}: {} by {}", device.measurements, device.protocol))?;
    }
    for key in &claims.rotpks {
        line(out, "Boot key", format_args!("{}.{}.{} {}", key.owner, key.array, key.index, key.hash))?;
    }
    optional(out, "Peer signers", claims.peer_signers.as_deref())?;
    optional(out, "TPM binding", claims.tpm_binding.as_deref())?;
    let hint = claims.verification_service.as_deref().map(|it| format!("{it} (a hint of its own)"));
    optional(out, "Verified at", hint.as_deref())?;
    out.write_str("</dl></section>\n")
}

fn realm_card(out: &mut Formatter<'_>, claims: &Realm) -> fmt::Result {
    out.write_str("<section class=\"card\"><h3>Realm</h3><dl>\n")?;
    line(out, "Profile", &claims.profile)?;
    optional(out, "Instance", claims.instance_id.as_deref())?;
    line(out, "Challenge", &claims.challenge)?;
    line(out, "Personalization", &claims.rpv)?;
    line(out, "Measured with", &claims.hash)?;
    line(out, "RIM", &claims.rim)?;
    for (index, rem) in claims.rems.iter().enumerate() {
        line(out, &format!("REM {index}"), rem)?;
    }
    optional(out, "Memory key", claims.mec_policy)?;
    let live = claims.live_activation.map(|it| if it { "may be replaced while it runs" } else { "stays" });
    optional(out, "Firmware", live)?;
    optional(out, "Devices", claims.devices_hash.as_deref())?;
    out.write_str("</dl></section>\n")
}

fn components(out: &mut Formatter<'_>, verdict: &Verdict, components: &[Component]) -> fmt::Result {
    out.write_str(
        "<h3>Components of the platform</h3>\n<table class=\"components\"><thead><tr><th>Component</th><th>Version</th>\
         <th>Measurement</th><th>Signer</th></tr></thead><tbody>\n",
    )?;
    for component in components {
        let kind = component.kind.as_deref().unwrap_or("(no type)");
        let label = format!("component {}", kind.escape_debug());
        let state = State::of_label(verdict, &label).unwrap_or(State::Undone);
        write!(out, "<tr><th scope=\"row\">{state}<span><b>{}</b></span></th>", Escaped(kind))?;
        let live = if component.live_activation == Some(true) { ", replaceable while it runs" } else { "" };
        let version = component.version.as_deref().unwrap_or("–");
        write!(out, "<td data-label=\"Version\">{}{live}</td>", Escaped(version))?;
        write!(out, "<td data-label=\"Measurement\" class=\"mono\">{}</td>", Escaped(&component.measurement))?;
        writeln!(out, "<td data-label=\"Signer\" class=\"mono\">{}</td></tr>", Escaped(&component.signer_id))?;
    }
    out.write_str("</tbody></table>\n")
}
