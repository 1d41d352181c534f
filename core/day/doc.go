// Package day holds the values of working time: the kinds of day, the hours of a day and the answer of a
// calendar. Engines take them as values; platform/calendar keeps them.
package day
