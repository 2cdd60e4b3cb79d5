package main

import (
	"fmt"
	"regexp"
	"slices"

	"imds-analyzer/report/steps"
)

const region, otherRegion = "eu-west-1", "us-gov-west-1"

// manyName is the situation with more instances than one command can name.
const manyName = "many"

// situations are such that each template is used, with what is known and without.
func situations() map[string]steps.Situation {
	many := steps.Situation{Ready: true}
	for n := range 52 {
		many.Instances = append(many.Instances, steps.Instance{ID: instance(n), Region: region, Ready: true})
	}
	return map[string]steps.Situation{
		"one": {Ready: true, Instances: many.Instances[:1]},
		"fleet": {HopLimitTooLow: true, HopLimit: 3, LaunchHopLimit: 3, Instances: []steps.Instance{
			{ID: instance(1), Region: region, Ready: true},
			{ID: instance(2), Region: otherRegion, Ready: true},
			{ID: instance(3), Region: region, HopLimitTooLow: true, HopLimit: 3},
			{ID: instance(4), HopLimitTooLow: true},
		}},
		"unknown": {HopLimitTooLow: true, HopLimitUnknown: true, Unknown: 1},
		manyName:  many,
	}
}

func instance(n int) string { return fmt.Sprintf("i-%017x", 0xabc0+n) }

// samples are values as they can be in the place of placeholders.
func samples() map[string]string {
	return map[string]string{
		"REGION":                  region,
		"INSTANCE_ID":             instance(0),
		"HOP_LIMIT":               "2",
		"PREVIOUS_HOP_LIMIT":      "1",
		"IMAGE_ID":                "ami-0123456789abcdef0",
		"IMAGE_NAME":              "example-image",
		"INSTANCE_TYPE":           "t3.micro",
		"SNAPSHOT_ID":             "snap-0123456789abcdef0",
		"ROOT_DEVICE_NAME":        "/dev/xvda",
		"ARCHITECTURE":            "x86_64",
		"LAUNCH_TEMPLATE_ID":      "lt-0123456789abcdef0",
		"NEW_VERSION":             "7",
		"PREVIOUS_VERSION":        "6",
		"AUTO_SCALING_GROUP_NAME": "example-group",
		"POLICY_ID":               "p-0123456789",
		"TARGET_ID":               "ou-ab12-01234567",
		"ROLE_NAME":               "example-role",
		"TOPIC_ARN":               "arn:aws:sns:eu-west-1:123456789012:example-topic",
	}
}

// sampleValues are all texts that come from here.
func sampleValues() []string {
	values := []string{region, otherRegion}
	for _, s := range samples() {
		values = append(values, s)
	}
	for _, s := range situations() {
		for _, i := range s.Instances {
			values = append(values, i.ID)
		}
	}
	slices.Sort(values)
	return slices.Compact(values)
}

// withSamples replaces placeholders, each a word of its own.
func withSamples(text string, placeholders []string) (string, error) {
	for _, p := range placeholders {
		sample := samples()[p]
		if sample == "" {
			return "", fmt.Errorf("there is no sample of %s", p)
		}
		text = regexp.MustCompile(`\b`+p+`\b`).ReplaceAllLiteralString(text, sample)
	}
	return text, nil
}
