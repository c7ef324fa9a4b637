# Huawei virtCCA's first generation, for those who accept that the platform's firmware is not attested.
#
# Its tokens say nothing about that firmware: nothing in one excludes that the machine's owner replaced it, and with it
# whatever keeps him out of the Realm. Whoever judges by this policy knows the machine by other means, such as its place
# and its owner. What the policy then demands is that a device key which the caller's anchors endorse signed exactly the
# expected measurements of the Realm. The steps about the platform stay undone, are shown as that, and the verdict may
# affirm all the same.
package allod

default allow := false

allow if {
	count(deny) == 0
	input.family == "virtcca-1"
	input.steps.rim == "ok"
	count(input.realm.rems) == 4
}

required := {
	"structure", "profile", "trust-anchor", "chain", "platform-signature", "realm-signature", "binding", "nonce",
	"realm-hash", "rim",
}

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

may_miss contains step if some step in {"lifecycle", "implementation-id", "config", "component"}

may_miss contains "rem"

may_miss contains "log" if {
	every rem in input.realm.rems {
		zero(rem)
	}
}

deny contains sprintf("expected a token of virtCCA's first generation, found %s", [input.family]) if {
	input.family != "virtcca-1"
}

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

note contains "the platform's firmware is not attested: whoever chose this policy knows the machine by other means"

note contains "what counts: a device key that is endorsed signed these measurements of the Realm"
