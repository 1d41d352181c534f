package main

import "syscall"

const interrupt = syscall.SIGINT

func beEcho() {}
