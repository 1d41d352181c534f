// Package corpus makes labelled calls to the line of the electronic tax bureau by rules, to judge a classifier by.
//
// The calls are SYNTHETIC: no caller said them, and a figure reached on them says that a classifier generalises over
// these rules, not how it does on a real line. The rules were written and committed before the classifier.
//
// A call is made by one rule family (Families): sentences with slots, told apart by what the caller is after, eight
// families a kind. Every second family is held out: a classifier may be trained on the others alone and is judged on
// the held-out ones, so that it never saw a sentence of what it is judged by. Around the sentence stand an opening, a
// circumstance that fits every kind, now and then a misleading word (a caller with a question of law says that the
// system works; one with a fault names the law), and the mistakes of hearing. The key pressed is silent or wrong as
// often as Missing and Wrong say, and some callers have called before.
package corpus
