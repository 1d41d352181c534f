// Package calendar keeps when each place works: weekly hours with breaks, seasons, special days, and tables of
// public holidays with the weekend days worked for them. Voice menus, chat, queues, deadlines and rosters ask
// the same calendars. The arithmetic is core/day's; this package keeps the tables, the shipped holidays of
// mainland China from 2012 to 2026, the sections of the configuration and the pages' API.
package calendar
