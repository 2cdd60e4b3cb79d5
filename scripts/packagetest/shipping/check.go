package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
)

// check holds the example files to what is documented of each shipper: each key has to be
// one that it knows, and what the examples promise has to be set.
func check(examples, schema string, out io.Writer) error {
	at := func(name string) string { return filepath.Join(examples, name) }
	a, err := readAlarms(at("cloudwatch-agent/metrics-and-alarms.yaml"))
	if err == nil {
		err = a.check(schema)
	}
	if err != nil {
		return fmt.Errorf("metrics-and-alarms.yaml: %w", err)
	}
	row(out, "metrics-and-alarms.yaml, CloudFormation's schema", "valid; %d patterns understood", len(a.filters))
	for _, c := range []struct {
		name  string
		check func(string) error
	}{
		{"cloudwatch-agent/amazon-cloudwatch-agent.json", checkAgent},
		{"fluent-bit/fluent-bit.yaml", checkFluentBit},
		{"vector/vector.yaml", checkVector},
	} {
		if err := c.check(at(c.name)); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		row(out, filepath.Base(c.name)+", documented keys", "all known")
	}
	return nil
}

// load reads a file of YAML or JSON.
func load(name string) (map[string]any, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var value map[string]any
	return value, yaml.Unmarshal(data, &value)
}

// object returns the object at the path, of a list its first element.
func object(value any, names ...string) map[string]any {
	for _, name := range names {
		fields, _ := first(value).(map[string]any)
		value = fields[name]
	}
	fields, _ := first(value).(map[string]any)
	return fields
}

func first(value any) any {
	if list, isList := value.([]any); isList && len(list) > 0 {
		return list[0]
	}
	return value
}

// hasKeys reports keys that are not known, and values that are not as they have to be.
func hasKeys(where string, fields map[string]any, known string, values map[string]string) error {
	if len(fields) == 0 {
		return fmt.Errorf("%s is missing", where)
	}
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		if !slices.Contains(strings.Fields(known), strings.ToLower(key)) {
			return fmt.Errorf("%s has %q", where, key)
		}
	}
	for key, want := range values {
		if got := fmt.Sprint(fields[key]); got != want {
			return fmt.Errorf("%s of %s is %q, not %q", key, where, got, want)
		}
	}
	return nil
}

// hasAll is hasKeys for several.
func hasAll(checks ...error) error {
	for _, err := range checks {
		if err != nil {
			return err
		}
	}
	return nil
}

// checkAgent:
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-Agent-Configuration-File-Details.html
func checkAgent(name string) error {
	c, err := load(name)
	if err != nil {
		return err
	}
	file := object(c, "logs", "logs_collected", "files", "collect_list")
	return hasAll(
		hasKeys("the file", c, "agent logs metrics traces opentelemetry", nil),
		hasKeys("agent", object(c, "agent"), "run_as_user region logfile debug credentials metrics_collection_interval", map[string]string{"run_as_user": "root"}),
		hasKeys("logs", object(c, "logs"), "logs_collected log_stream_name force_flush_interval endpoint_override credentials", nil),
		hasKeys("files", object(c, "logs", "logs_collected", "files"), "collect_list", nil),
		hasKeys("collect_list", file, "file_path log_group_name log_stream_name log_group_class timestamp_format timezone retention_in_days trim_timestamp "+
			"multi_line_start_pattern encoding auto_removal backpressure_mode blacklist publish_multi_logs filters",
			map[string]string{"file_path": logFile, "timezone": "UTC"}),
		readsTime(fmt.Sprint(file["timestamp_format"])),
	)
}

// readsTime makes sure that the first text of a line that an agent's timestamp format fits
// is the time of the line.
func readsTime(format string) error {
	const line = `{"@timestamp":"2026-11-23T04:30:49.850998123Z","process":{"start":"2026-11-23T04:00:00.5Z"}}`
	pattern := regexp.QuoteMeta(format)
	for code, digits := range map[string]string{"%Y": "4", "%m": "2", "%d": "2", "%H": "2", "%M": "2", "%S": "2", "%f": "1,9"} {
		pattern = strings.ReplaceAll(pattern, code, `\d{`+digits+`}`)
	}
	r, err := regexp.Compile(pattern)
	if err != nil {
		return err
	}
	if at, err := time.Parse("2006-01-02T15:04:05", r.FindString(line)); err != nil || at.Nanosecond() != 850998123 {
		return fmt.Errorf("timestamp_format finds %q in %s", r.FindString(line), line)
	}
	return nil
}

// The keys that Fluent Bit documents, https://docs.fluentbit.io/manual, in lower case: it
// takes them in any.
const (
	fluentService = "flush grace daemon log_level parsers_file http_server storage.path storage.sync storage.checksum storage.max_chunks_up storage.backlog.mem_limit"
	fluentParser  = "name format time_key time_format time_keep time_offset time_strict types skip_empty_values"
	fluentTail    = "name tag path exclude_path db db.sync db.locking db.compare_filename read_from_head refresh_interval rotate_wait ignore_older buffer_chunk_size " +
		"buffer_max_size skip_long_lines skip_empty_lines key path_key offset_key parser mem_buf_limit storage.type storage.pause_on_chunks_overlimit"
	fluentCloudWatch = "name match region log_group_name log_group_template log_stream_name log_stream_prefix log_stream_template log_key log_format " +
		"auto_create_group log_group_class log_retention_days role_arn endpoint retry_limit storage.total_limit_size workers"
)

// checkFluentBit checks both forms of the example, and that they say the same.
func checkFluentBit(name string) error {
	c, err := load(name)
	if err != nil {
		return err
	}
	service, parser := object(c, "service"), object(c, "parsers")
	input, output := object(c, "pipeline", "inputs"), object(c, "pipeline", "outputs")
	if err := hasAll(
		hasKeys("the file", c, "service parsers pipeline", nil),
		hasKeys("service", service, fluentService, nil),
		hasKeys("the parser", parser, fluentParser, map[string]string{"format": "json", "time_key": "@timestamp", "time_keep": "true"}),
		hasKeys("the input", input, fluentTail, map[string]string{"name": "tail", "path": logFile, "read_from_head": "true", "storage.type": "filesystem"}),
		hasKeys("the output", output, fluentCloudWatch, map[string]string{"name": "cloudwatch_logs", "match": fmt.Sprint(input["tag"]), "retry_limit": "no_limits"}),
	); err != nil {
		return err
	}
	classic, err := loadClassic(filepath.Dir(name), "fluent-bit.conf", "parsers.conf")
	if err != nil {
		return err
	}
	delete(classic["SERVICE"], "parsers_file")
	for section, fields := range map[string]map[string]any{"SERVICE": service, "PARSER": parser, "INPUT": input, "OUTPUT": output} {
		if a, b := texts(fields), classic[section]; !maps.Equal(a, b) {
			return fmt.Errorf("the section %s of both forms differs: %v, %v", section, a, b)
		}
	}
	return nil
}

func texts(fields map[string]any) map[string]string {
	all := map[string]string{}
	for key, value := range fields {
		all[key] = fmt.Sprint(value)
	}
	return all
}

// loadClassic reads files of Fluent Bit's classic form, with one section of a kind:
// https://docs.fluentbit.io/manual/administration/configuring-fluent-bit/classic-mode/format-schema
func loadClassic(dir string, names ...string) (map[string]map[string]string, error) {
	sections := map[string]map[string]string{}
	for _, name := range names {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		var section map[string]string
		for line := range strings.Lines(string(data)) {
			key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
			switch {
			case key == "", key[0] == '#':
			case key[0] == '[':
				section = map[string]string{}
				sections[strings.Trim(key, "[]")] = section
			default:
				section[strings.ToLower(key)] = strings.TrimSpace(value)
			}
		}
	}
	return sections, nil
}

// checkVector: https://vector.dev/docs/reference/configuration
func checkVector(name string) error {
	c, err := load(name)
	if err != nil {
		return err
	}
	source, transform, sink := object(c, "sources", "imds_analyzer"), object(c, "transforms", "imds_analyzer_time"), object(c, "sinks", "cloudwatch")
	include, _ := json.Marshal(source["include"])
	if !strings.HasPrefix(string(include), `["`+logFile+`"`) {
		return fmt.Errorf("include is %s", include)
	}
	return hasAll(
		hasKeys("the file", c, "data_dir sources transforms sinks", nil),
		hasKeys("the source", source, "type include exclude read_from oldest_first max_line_bytes fingerprint ignore_checkpoints ignore_older_secs "+
			"rotate_wait_secs max_read_bytes glob_minimum_cooldown_ms file_key host_key offset_key data_dir line_delimiter",
			map[string]string{"type": "file", "read_from": "beginning", "max_line_bytes": "1048576"}),
		hasKeys("the transform", transform, "type inputs source drop_on_error drop_on_abort", map[string]string{"type": "remap", "inputs": "[imds_analyzer]", "drop_on_error": "false"}),
		hasKeys("the sink", sink, "type inputs region group_name stream_name create_missing_group create_missing_stream retention encoding acknowledgements "+
			"buffer batch compression endpoint request tls auth tags",
			map[string]string{"type": "aws_cloudwatch_logs", "inputs": "[imds_analyzer_time]"}),
		hasKeys("encoding", object(sink, "encoding"), "codec except_fields only_fields timestamp_format", map[string]string{"codec": "text"}),
		hasKeys("acknowledgements", object(sink, "acknowledgements"), "enabled", map[string]string{"enabled": "true"}),
		hasKeys("buffer", object(sink, "buffer"), "type max_size max_events when_full", map[string]string{"type": "disk", "when_full": "block"}),
		hasKeys("retention", object(sink, "retention"), "enabled days", nil),
	)
}
