// Package demo makes what a demonstration needs: the bureau's configuration, the people who call it, and a
// history of 150 days as facts of the ledger. It knows core and the ledger alone; app runs it.
package demo

import (
	_ "embed"
	"fmt"

	"github.com/goccy/go-yaml"
)

//go:embed bureau.yaml
var bureau []byte

//go:embed questions.yaml
var questions []byte

// Bureau gives the demo bureau as `kapok apply` reads it.
func Bureau() []byte { return append([]byte(nil), bureau...) }

// Question is something people call about, and the answer.
type Question struct {
	Queue    string `yaml:"queue"`
	Topic    string `yaml:"topic"`
	Tax      string `yaml:"tax"`
	Question string `yaml:"question"`
	Answer   string `yaml:"answer"`
}

// Questions gives what people call about.
func Questions() ([]Question, error) {
	var out []Question
	if err := yaml.Unmarshal(questions, &out); err != nil {
		return nil, fmt.Errorf("demo questions: %w", err)
	}
	return out, nil
}

// plan is what the history needs to know of the bureau.
type plan struct {
	Bureau struct {
		Site string `yaml:"site"`
	} `yaml:"bureau"`
	Sites []struct {
		Code string `yaml:"code"`
		Kind string `yaml:"kind"`
	} `yaml:"sites"`
	Queues []queue `yaml:"queues"`
	Agents []struct {
		User   string         `yaml:"user"`
		Skills map[string]int `yaml:"skills"`
	} `yaml:"agents"`
}

// Phone is a desk phone of the bureau.
type Phone struct {
	Code string `yaml:"code" json:"code"`
	Name string `yaml:"name" json:"name"`
	Site string `yaml:"site" json:"site"`
}

// Phones gives the bureau's desk phones.
func Phones() ([]Phone, error) {
	var b struct {
		Phones []Phone `yaml:"phones"`
	}
	if err := yaml.Unmarshal(bureau, &b); err != nil {
		return nil, fmt.Errorf("demo bureau: %w", err)
	}
	return b.Phones, nil
}

// queue is a queue of the bureau.
type queue struct {
	Code  string `yaml:"code"`
	Needs []struct {
		Skill string `yaml:"skill"`
		Level int    `yaml:"level"`
	} `yaml:"needs"`
	Priority int   `yaml:"priority"`
	RingS    int64 `yaml:"ring_s"`
	WrapupS  int64 `yaml:"wrapup_s"`
	MaxWaitS int64 `yaml:"max_wait_s"`
	NoAgents int64 `yaml:"no_agents_s"`
}

func readPlan() (p plan, err error) {
	if err := yaml.Unmarshal(bureau, &p); err != nil {
		return p, fmt.Errorf("demo bureau: %w", err)
	}
	return p, nil
}
