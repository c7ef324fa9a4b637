# Huawei virtCCA: a machine that Huawei vouches for, and a Realm whose every measurement is explained.
#
# The second generation's tokens tell of the platform's firmware. Those of the first do not: nothing that such a token
# says excludes that the firmware was replaced by the machine's owner. What counts then is that a device key, which the
# caller's anchors endorse, signed these measurements of the Realm. That is a warning here, and never affirmed.
package allod

default allow := false

allow if {
	count(deny) == 0
	input.family in families
	input.steps.rim == "ok"
	count(input.realm.rems) == 4
}

families := {"virtcca-1", "virtcca-2"}

signed := {
	"structure", "profile", "trust-anchor", "chain", "platform-signature", "realm-signature", "binding", "nonce",
	"realm-hash", "rim",
}

platform := {"lifecycle", "implementation-id", "config", "component"}

required := signed if input.family == "virtcca-1"

required := signed | platform if input.family == "virtcca-2"

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

may_miss contains "rem"

may_miss contains "log" if {
	every rem in input.realm.rems {
		zero(rem)
	}
}

deny contains sprintf("expected a token of virtCCA, found %s", [input.family]) if not input.family in families

deny contains sprintf("%s: expected to be done and to hold, found %s", [step, status]) if {
	some step in required
	status := object.get(input.steps, step, "nothing")
	not status in {"ok", "not-applicable"}
}

deny contains "rim: expected a reference" if not input.steps.rim == "ok"

deny contains sprintf("rem %d: neither a reference nor a log with rules explains it", [index]) if {
	some index, _ in input.realm.rems
	not explained(index)
}

warn contains "the platform's firmware is not attested: tokens of virtCCA's first generation say nothing about it" if {
	input.family == "virtcca-1"
}

note contains "what counts: a device key that is endorsed signed these measurements of the Realm" if {
	input.family == "virtcca-1"
}
