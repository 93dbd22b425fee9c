"""Every sentence the till says about a payment, by a stable name.

The English text is also the key of the screen's translation catalogues.
Lines follow the screen design: short, present tense, no blame.
"""

from __future__ import annotations

import enum


class Message(enum.StrEnum):
    """Names that scripts may rely on; TEXT has the words."""

    # Prompts
    PRESENT = "present"
    PRESENT_CARD = "present_card"
    CARD_ONLY = "card_only"
    READING = "reading"
    CARD_READ = "card_read"
    INSERT_CARD = "insert_card"
    ONE_CARD_ONLY = "one_card_only"
    AUTHORISING = "authorising"
    TRY_ANOTHER_CARD = "try_another_card"
    SEE_PHONE = "see_phone"
    ENTER_PIN = "enter_pin"
    TAP_AGAIN = "tap_again"
    CARD_UNREADABLE = "card_unreadable"
    PAYER_CONFIRMS = "payer_confirms"
    CUSTOMER_SCANS = "customer_scans"
    CLOSING_CODE = "closing_code"
    NOT_A_PAYMENT_CODE = "not_a_payment_code"
    TWO_CODES = "two_codes"
    CODE_ALREADY_SEEN = "code_already_seen"
    OUR_CODE_EXPIRED = "our_code_expired"
    CODE_UNAVAILABLE = "code_unavailable"
    READER_LOST = "reader_lost"
    CHIP_NOT_READ = "chip_not_read"
    CHIP_UNREADABLE = "chip_unreadable"
    CARD_PULLED = "card_pulled"
    LEAVE_CARD_IN = "leave_card_in"
    TAKE_CARD_OUT = "take_card_out"
    CHOOSE_APPLICATION = "choose_application"
    CONFIRM_APPLICATION = "confirm_application"
    NOTHING_CHOSEN = "nothing_chosen"
    CARD_BLOCKED = "card_blocked"
    # Results
    APPROVED = "approved"
    APPROVED_SIGN = "approved_sign"
    REFUNDED = "refunded"
    HELD = "held"
    MORE_HELD = "more_held"
    COMPLETED = "completed"
    RELEASED = "released"
    TIP_ADDED = "tip_added"
    BALANCE_TOLD = "balance_told"
    INQUIRY_DROPPED = "inquiry_dropped"
    VOIDED = "voided"
    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"
    ALREADY_SENT = "already_sent"
    NOT_SENT = "not_sent"
    LINK_NOT_SECURE = "link_not_secure"
    REVERSAL_FIRST = "reversal_first"
    UNKNOWN = "unknown"
    REVERSING = "reversing"
    REVERSED = "reversed"
    STORED = "stored"
    DEFERRED = "deferred"
    OFFLINE_FULL = "offline_full"
    REVERSAL_REFUSED = "reversal_refused"
    SETTLED = "settled"
    STORED_REFUSED = "stored_refused"
    # Reasons of a decline
    DECLINED_BY_BANK = "declined_by_bank"
    CARD_NOT_VALID = "card_not_valid"
    DECLINED_PLAINLY = "declined_plainly"
    NOT_ENOUGH_MONEY = "not_enough_money"
    CARD_EXPIRED = "card_expired"
    WRONG_PIN = "wrong_pin"
    NOT_PERMITTED = "not_permitted"
    OVER_CARD_LIMIT = "over_card_limit"
    TOO_MANY_PAYMENTS = "too_many_payments"
    PIN_BLOCKED = "pin_blocked"
    PIN_NOT_CHECKED = "pin_not_checked"
    ISSUER_DOWN = "issuer_down"
    BANK_FAULT = "bank_fault"
    BANK_REFUSED_REQUEST = "bank_refused_request"
    DECLINED_BY_CARD = "declined_by_card"
    CARD_NOT_AUTHENTIC = "card_not_authentic"
    CARD_ON_EXCEPTION_FILE = "card_on_exception_file"
    PIN_PAD_MISSING = "pin_pad_missing"
    PIN_PAD_LOST = "pin_pad_lost"
    PIN_PAD_NOT_READY = "pin_pad_not_ready"
    PIN_CANCELLED = "pin_cancelled"
    PIN_LATE = "pin_late"
    CARD_NOT_ACCEPTED = "card_not_accepted"
    CONTACTLESS_NOT_ALLOWED = "contactless_not_allowed"
    CODE_EXPIRED = "code_expired"
    CODE_USED = "code_used"
    WALLET_REFUSED = "wallet_refused"
    PAYER_REFUSED = "payer_refused"
    ORIGINAL_NOT_FOUND = "original_not_found"
    BANK_MUST_BE_ASKED = "bank_must_be_asked"
    HOLD_ENDED = "hold_ended"
    # Next steps
    HAND_OVER = "hand_over"
    CUSTOMER_SIGNS = "customer_signs"
    ANOTHER_CARD_OR_WALLET = "another_card_or_wallet"
    ANOTHER_CARD = "another_card"
    CALL_ISSUER = "call_issuer"
    TRY_ONCE_MORE = "try_once_more"
    SMALLER_AMOUNT = "smaller_amount"
    INSERT_OR_ANOTHER = "insert_or_another"
    INSERT_OR_CODE = "insert_or_code"
    TAP_OR_CODE = "tap_or_code"
    WAIT_A_MINUTE = "wait_a_minute"
    TRY_AGAIN = "try_again"
    REFRESH_CODE = "refresh_code"
    DO_NOT_CHARGE_AGAIN = "do_not_charge_again"
    CHARGE_AGAIN = "charge_again"
    PRESS_ENTER = "press_enter"
    CHECK_NETWORK = "check_network"
    TELL_SUPERVISOR = "tell_supervisor"
    SENT_LATER = "sent_later"
    MAY_KEEP = "may_keep"
    CASH_ONLY = "cash_only"
    TAKE_A_SALE = "take_a_sale"
    NOTHING = "nothing"
    # Notices
    NO_BANK = "no_bank"
    BEING_CHECKED = "being_checked"
    BEING_REVERSED = "being_reversed"
    BEING_CLOSED = "being_closed"
    TO_BE_SENT = "to_be_sent"
    BATCH_DIFFERS = "batch_differs"
    BATCH_UNANSWERED = "batch_unanswered"
    DAY_OVER = "day_over"
    BULLETIN = "bulletin"
    DEFERRED_TO_BE_SENT = "deferred_to_be_sent"
    NO_READER = "no_reader"
    NO_CAMERA = "no_camera"
    NO_PAPER = "no_paper"
    PAPER_LOW = "paper_low"
    PRINTER_OPEN = "printer_open"
    PRINTER_LOST = "printer_lost"
    PRINTER_STUCK = "printer_stuck"
    NO_DISPLAY = "no_display"
    JOURNAL_FAULT = "journal_fault"
    CLOCK_WRONG = "clock_wrong"


TEXT: dict[Message, str] = {
    Message.PRESENT: "Present card, phone or code",
    Message.PRESENT_CARD: "Present card",
    Message.CARD_ONLY: "Only a card can do this, no wallet",
    Message.READING: "Reading. Hold still",
    Message.CARD_READ: "Card read. Remove card",
    Message.INSERT_CARD: "Insert card",
    Message.ONE_CARD_ONLY: "Present one card only",
    Message.AUTHORISING: "Authorising. Please wait",
    Message.TRY_ANOTHER_CARD: "Try another card",
    Message.SEE_PHONE: "See phone, then tap again",
    Message.ENTER_PIN: "Customer enters PIN",
    Message.TAP_AGAIN: "Tap again. Hold one second",
    Message.CARD_UNREADABLE: "Card could not be read. Insert it, or show a code",
    Message.PAYER_CONFIRMS: "Customer confirms on the phone",
    Message.CUSTOMER_SCANS: "Customer scans this",
    Message.CLOSING_CODE: "Closing the code at the bank. Please wait",
    Message.NOT_A_PAYMENT_CODE: "This is not a payment code",
    Message.TWO_CODES: "Two codes seen. Show one",
    Message.CODE_ALREADY_SEEN: "Code already used. Customer refreshes it",
    Message.OUR_CODE_EXPIRED: "Code expired, not paid. New code: F7",
    Message.CODE_UNAVAILABLE: "No code from the bank. Card or customer's code instead",
    Message.READER_LOST: "Reader is gone. Check its cable, or show a code",
    Message.CHIP_NOT_READ: "Chip could not be read. Take it out, wipe it, insert it again",
    Message.CHIP_UNREADABLE: "Chip cannot be read. Tap the card, or show a code. Never swipe it",
    Message.CARD_PULLED: "Card was taken out too early. Insert it again",
    Message.LEAVE_CARD_IN: "Authorising. Leave the card in",
    Message.TAKE_CARD_OUT: "Take the last card out",
    Message.CHOOSE_APPLICATION: "Customer chooses how to pay with this card",
    Message.CONFIRM_APPLICATION: "Customer agrees to pay with this",
    Message.NOTHING_CHOSEN: "Customer chose nothing on this card",
    Message.CARD_BLOCKED: "Card is blocked",
    Message.APPROVED: "Approved",
    Message.APPROVED_SIGN: "Approved. Customer signs",
    Message.REFUNDED: "Refunded",
    Message.VOIDED: "Voided",
    Message.HELD: "The bank holds the money. Nothing is taken yet",
    Message.MORE_HELD: "The bank holds so much more",
    Message.COMPLETED: "Taken from the money held. The rest is let go",
    Message.RELEASED: "Let go. Nothing was taken",
    Message.TIP_ADDED: "Tip added",
    Message.BALANCE_TOLD: "Tell the customer the balance. Nothing was charged",
    Message.INQUIRY_DROPPED: "No answer from the bank. Nothing was charged",
    Message.CANCELLED: "Cancelled. Nothing was charged",
    Message.TIMED_OUT: "No card or code",
    Message.ALREADY_SENT: "Already sent: cannot be cancelled now",
    Message.NOT_SENT: "Bank not reached. Nothing was sent",
    Message.LINK_NOT_SECURE: "No secure link with the bank. Nothing was sent",
    Message.REVERSAL_FIRST: "An earlier payment must be reversed first. Nothing was sent",
    Message.UNKNOWN: "Do not charge again. Checking with the bank",
    Message.REVERSING: "Being reversed. Do not charge again yet",
    Message.REVERSED: "Reversed. Customer is not charged",
    Message.STORED: "Approved by the card. Kept here, sent to the bank",
    Message.DEFERRED: "Bank not reached. Kept here, sent later. Not yet approved",
    Message.OFFLINE_FULL: "Offline limit reached. Cash only",
    Message.REVERSAL_REFUSED: "The bank refuses the reversal. Do not charge again",
    Message.SETTLED: "Settled by a person",
    Message.STORED_REFUSED: "Stored payment declined",
    Message.DECLINED_BY_BANK: "Declined by the bank",
    Message.CARD_NOT_VALID: "Card number not valid",
    Message.DECLINED_PLAINLY: "Declined",
    Message.NOT_ENOUGH_MONEY: "Not enough money",
    Message.CARD_EXPIRED: "Card expired",
    Message.WRONG_PIN: "Wrong PIN",
    Message.NOT_PERMITTED: "Card does not allow this kind of payment",
    Message.OVER_CARD_LIMIT: "Over the card's limit",
    Message.TOO_MANY_PAYMENTS: "Too many payments",
    Message.PIN_BLOCKED: "PIN blocked",
    Message.PIN_NOT_CHECKED: "PIN could not be checked",
    Message.ISSUER_DOWN: "Card's bank does not answer",
    Message.BANK_FAULT: "Bank system fault",
    Message.BANK_REFUSED_REQUEST: "The bank refused the request",
    Message.DECLINED_BY_CARD: "Declined by the card",
    Message.CARD_NOT_AUTHENTIC: "Card could not be proved genuine",
    Message.CARD_ON_EXCEPTION_FILE: "Declined",
    Message.PIN_PAD_MISSING: "Card wants a PIN, and this till has no PIN pad",
    Message.PIN_PAD_LOST: "PIN pad does not answer. Check its cable",
    Message.PIN_PAD_NOT_READY: "PIN pad takes no PIN: are its keys in it?",
    Message.PIN_CANCELLED: "Customer cancelled the PIN",
    Message.PIN_LATE: "No PIN was entered in time",
    Message.CARD_NOT_ACCEPTED: "This shop does not take this card",
    Message.CONTACTLESS_NOT_ALLOWED: "Amount not allowed by tap",
    Message.CODE_EXPIRED: "Code too old",
    Message.CODE_USED: "Code already used",
    Message.WALLET_REFUSED: "Declined by the wallet",
    Message.PAYER_REFUSED: "Customer did not confirm",
    Message.ORIGINAL_NOT_FOUND: "The bank does not know the first payment",
    Message.BANK_MUST_BE_ASKED: "The card would not ask its bank. Nothing was charged",
    Message.HOLD_ENDED: "The bank holds nothing any more for this payment",
    Message.HAND_OVER: "Hand over the goods",
    Message.CUSTOMER_SIGNS: "Customer signs",
    Message.ANOTHER_CARD_OR_WALLET: "Another card or wallet",
    Message.ANOTHER_CARD: "Another card",
    Message.CALL_ISSUER: "Another card, or customer calls the bank",
    Message.TRY_ONCE_MORE: "Try once more",
    Message.SMALLER_AMOUNT: "Smaller amount or another card",
    Message.INSERT_OR_ANOTHER: "After a tap: insert card. Else another card",
    Message.INSERT_OR_CODE: "Insert the card, or show a code",
    Message.TAP_OR_CODE: "Tap the card, or show a code",
    Message.WAIT_A_MINUTE: "Wait a minute, or another card",
    Message.TRY_AGAIN: "Try again",
    Message.REFRESH_CODE: "Customer refreshes it",
    Message.DO_NOT_CHARGE_AGAIN: "Customer waits, or go on with the next sale: this one is kept",
    Message.CHARGE_AGAIN: "You may charge again",
    Message.PRESS_ENTER: "Press Enter to try again",
    Message.CHECK_NETWORK: "Check the network, then try again",
    Message.TELL_SUPERVISOR: "Tell the supervisor",
    Message.SENT_LATER: "Hand over the goods. The till sends it by itself",
    Message.MAY_KEEP: "Try again, or keep it here at the shop's risk",
    Message.CASH_ONLY: "Cash only",
    Message.TAKE_A_SALE: "Take a new payment instead",
    Message.NOTHING: "Nothing to do",
    Message.NO_BANK: "Bank not reached",
    Message.BEING_CHECKED: "Payment being checked",
    Message.BEING_REVERSED: "Payment being reversed",
    Message.BEING_CLOSED: "Code being closed",
    Message.TO_BE_SENT: "Approved by card, still to be sent",
    Message.DEFERRED_TO_BE_SENT: "Not yet approved, still to be sent",
    Message.BATCH_DIFFERS: "Close of day: the bank has something else. F8",
    Message.BATCH_UNANSWERED: "Close of day sent, no answer from the bank yet",
    Message.BULLETIN: "The bank has written. Look under F9",
    Message.DAY_OVER: "The shop's day is over. Close it: F8",
    Message.NO_READER: "Reader not ready",
    Message.NO_CAMERA: "Camera not ready",
    Message.NO_PAPER: "No paper. Payment is safe",
    Message.PAPER_LOW: "Paper is low. Have a new roll at hand",
    Message.PRINTER_OPEN: "Printer is open. Close it. Payment is safe",
    Message.PRINTER_LOST: "No answer from the printer. Check cable, switch. Payment is safe",
    Message.PRINTER_STUCK: "Printer is stuck. Switch it off and on. Payment is safe",
    Message.NO_DISPLAY: "Customer display not ready. Check its cable",
    Message.JOURNAL_FAULT: "Cannot write the journal. No sale possible",
    Message.CLOCK_WRONG: "Clock is wrong. Set it, then try again",
}
