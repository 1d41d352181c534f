package app

import (
	"context"
	"io/fs"
)

func ownTexts() []fs.FS { return nil }

const demoHelp = ""

func runDemo(context.Context, *call) error { return nil }
