/**
 * The names pages use for what the interface carries. The shapes themselves are made from the house's own description
 * (openapi.d.ts, by scripts/api.sh).
 */
import type {
  DeskCallView, DeskDay, DeskDirectoryEntry, DeskPhoneEntry, DeskPlace, DeskPop, DeskPopPast, DeskReason, DeskTaxType, DeskTeamAgent, DeskTopic, DeskView, DeskWrapup,
  IdentityMeView, IdentitySessionView, IdentityUserView, ListsOutBody, ReportAgentStatus, ReportContact, ReportQueueState, ReportWallboard, SetupInBody,
} from './openapi'

export type { paths } from './openapi'

/** A moment as the server writes it: unix milliseconds or RFC 3339. Read it with `toMs`. */
export type Moment = number | string

export type Me = IdentityMeView
export type SetupBody = SetupInBody
export type SessionRow = IdentitySessionView
export type UserRow = IdentityUserView

export type Desk = DeskView
export type DeskCall = DeskCallView
export type DeskState = Desk['state']['state']
export type CallPhase = DeskCall['phase']
export type Reason = DeskReason
export type WrapupBody = DeskWrapup
export type DirectoryEntry = DeskDirectoryEntry
export type Topic = DeskTopic
export type TaxType = DeskTaxType
export type Place = DeskPlace
export type DeskLists = ListsOutBody
export type PhoneEntry = DeskPhoneEntry

/** A queue's English name may be left out. */
export type WallQueue = Omit<ReportQueueState, 'name_en'> & { name_en?: string }
export type WallAgent = ReportAgentStatus
export type Wallboard = ReportWallboard
export type ContactRow = ReportContact

export type Pop = DeskPop
export type PopHistory = DeskPopPast
export type Day = DeskDay
export type TeamAgent = DeskTeamAgent
