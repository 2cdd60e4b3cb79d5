package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// alarms is what is looked at of the CloudFormation template.
type alarms struct {
	filters map[string]filterPattern // by the metric's name
	names   map[string]bool          // of metrics that alarms look at
	json    any                      // the template
}

// readAlarms reads the template. goccy/go-yaml leaves tags of its own kinds, such as !Ref,
// to the one who reads; a text stands in their place here, as it does when the template is
// used.
func readAlarms(name string) (a alarms, err error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return a, err
	}
	data, err = yaml.YAMLToJSON(bytes.ReplaceAll(data, []byte("!Ref "), nil))
	if err != nil {
		return a, err
	}
	var template struct {
		Resources map[string]struct {
			Properties struct {
				FilterPattern         string
				MetricTransformations []struct{ MetricName string }
				MetricName            string
			}
		}
	}
	if err := json.Unmarshal(data, &template); err != nil {
		return a, err
	}
	a = alarms{filters: map[string]filterPattern{}, names: map[string]bool{}}
	for name, r := range template.Resources {
		if r.Properties.FilterPattern == "" {
			a.names[r.Properties.MetricName] = true
			continue
		}
		p, err := parseFilterPattern(r.Properties.FilterPattern)
		if err != nil {
			return a, fmt.Errorf("the pattern of %s: %w", name, err)
		}
		a.filters[r.Properties.MetricTransformations[0].MetricName] = p
	}
	a.json, err = jsonschema.UnmarshalJSON(bytes.NewReader(data))
	return a, err
}

// check holds the template against CloudFormation's schema, and the alarms against the
// metrics that there are.
func (a alarms) check(schema string) error {
	for name := range a.names {
		if a.filters[name] == nil {
			return fmt.Errorf("an alarm looks at %q, which no filter makes", name)
		}
	}
	compiled, err := jsonschema.NewCompiler().Compile(schema)
	if err != nil {
		return err
	}
	return compiled.Validate(a.json)
}
