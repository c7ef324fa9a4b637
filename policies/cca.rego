# Arm CCA: a secured platform that an authority vouches for, and a Realm whose every measurement is explained.
package allod

default allow := false

allow if {
	count(deny) == 0
	input.family == "cca"
	input.steps.rim == "ok"
	input.platform.lifecycle.state == "secured"
	count(input.realm.rems) == 4
}

# What has to be done for any token, and to hold.
required := {
	"structure", "profile", "trust-anchor", "chain", "platform-signature", "realm-signature", "binding", "nonce",
	"lifecycle", "implementation-id", "config", "component", "realm-hash", "rim",
}

# A register is explained by a reference, by a log that replays to it and whose every event a rule admits, or by being
# zero: nothing was measured into it.
explained(index) if by_reference(index)

explained(_) if by_log

explained(index) if zero(input.realm.rems[index])

by_reference(index) if {
	some check in input.checks
	check.step == "rem"
	check.subject == sprintf("%d", [index])
	check.status == "ok"
}

by_log if {
	input.steps.log == "ok"
	input.steps["log-rules"] == "ok"
}

zero(text) if trim(text, "0") == ""

# Where every register is explained, a reference for each adds nothing; nor does a log where all of them are zero.
may_miss contains "rem"

may_miss contains "log" if {
	every rem in input.realm.rems {
		zero(rem)
	}
}

# A personalization value of zeros personalizes nothing.
may_miss contains "rpv" if zero(input.realm.rpv)

deny contains sprintf("expected a token of Arm CCA, found %s", [input.family]) if input.family != "cca"

deny contains sprintf("%s: expected to be done and to hold, found %s", [step, status]) if {
	some step in required
	status := object.get(input.steps, step, "nothing")
	not status in {"ok", "not-applicable"}
}

deny contains sprintf("rem %d: neither a reference nor a log with rules explains it", [index]) if {
	some index, _ in input.realm.rems
	not explained(index)
}

deny contains "rim: expected a reference" if not input.steps.rim == "ok"

deny contains "lifecycle: expected a secured platform" if not input.platform.lifecycle.state == "secured"

warn contains sprintf("%s can be replaced while it runs", [component.type]) if {
	some component in input.platform.components
	component.live_activation == true
}

warn contains "the Realm's firmware can be replaced while it runs" if input.realm.live_activation == true
